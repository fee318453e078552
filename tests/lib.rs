//! This library is empty: the package holds the tests and the benchmarks that
//! concern all labs.
