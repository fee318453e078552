//! Nothing: this package holds tests and benchmarks of all labs together.
