//! The printed tables: medians, ratios, aims.

use super::rounds::Record;

/// What is printed about the turns of all servers; ours is the first record.
pub struct Table<'a, T> {
    pub name: &'a str,
    /// What else the title says.
    pub note: &'a str,
    pub columns: &'a [Column<T>],
    pub aims: &'a [Aim<T>],
}

/// A value of each turn, and how the values of all turns become one.
pub struct Column<T> {
    title: &'static str,
    decimals: usize,
    value: fn(&T) -> f64,
    over: fn(Vec<f64>) -> f64,
    compared: bool,
}

impl<T> Column<T> {
    /// Shows the median.
    pub const fn new(
        title: &'static str,
        decimals: usize,
        value: fn(&T) -> f64,
    ) -> Column<T> {
        Column { title, decimals, value, over: median, compared: false }
    }

    /// Shows the median, and the ratio of ours to theirs.
    pub const fn compared(
        title: &'static str,
        decimals: usize,
        value: fn(&T) -> f64,
    ) -> Column<T> {
        Column { compared: true, ..Column::new(title, decimals, value) }
    }

    /// Shows something else, such as the sum.
    pub const fn over(
        over: fn(Vec<f64>) -> f64,
        title: &'static str,
        decimals: usize,
        value: fn(&T) -> f64,
    ) -> Column<T> {
        Column { over, ..Column::new(title, decimals, value) }
    }

    /// Our value must be at least this many times that server's.
    pub fn at_least(self, bound: f64, server: &'static str) -> Aim<T> {
        Aim { column: self, least: true, bound, server: Some(server) }
    }

    /// Our value must be at most this many times that server's.
    pub fn at_most(self, bound: f64, server: &'static str) -> Aim<T> {
        Aim { column: self, least: false, bound, server: Some(server) }
    }

    /// Our value must be at most this.
    pub fn below(self, bound: f64) -> Aim<T> {
        Aim { column: self, least: false, bound, server: None }
    }

    fn of(&self, turns: &[T]) -> f64 {
        (self.over)(turns.iter().map(self.value).collect())
    }

    /// Ours / theirs, each pair measured within seconds of each other.
    fn ratio(&self, ours: &[T], theirs: &[T]) -> f64 {
        let pairs = ours.iter().zip(theirs);
        let value = self.value;
        median(pairs.map(|(our, their)| value(our) / value(their)).collect())
    }
}

/// A bound that our value in a column must keep.
pub struct Aim<T> {
    column: Column<T>,
    least: bool,
    bound: f64,
    server: Option<&'static str>,
}

impl<T> Table<'_, T> {
    pub fn print(&self, records: &[Record<T>]) {
        println!("\n{}{}", self.name, self.note);
        let mut rows = vec![self.titles()];
        rows.extend(records.iter().map(|record| match &record.turns {
            Ok(turns) => self.row(record.server, turns, &records[0]),
            Err(e) => vec![record.server.into(), format!("failed: {e}")],
        }));
        print_rows(&rows);
    }

    fn titles(&self) -> Vec<String> {
        let mut titles = vec!["server".to_string()];
        for column in self.columns {
            titles.push(column.title.into());
            if column.compared {
                titles.push("ours/it".into());
            }
        }
        titles
    }

    fn row(&self, name: &str, turns: &[T], ours: &Record<T>) -> Vec<String> {
        let mut row = vec![name.to_string()];
        for column in self.columns {
            row.push(format!("{:.*}", column.decimals, column.of(turns)));
            if column.compared {
                row.push(match &ours.turns {
                    Ok(our) if ours.server != name => {
                        format!("{:.2} x", column.ratio(our, turns))
                    }
                    _ => String::new(),
                });
            }
        }
        row
    }

    /// A line about each aim.
    pub fn verdicts(&self, records: &[Record<T>]) -> Vec<String> {
        self.aims.iter().map(|aim| aim.verdict(self.name, records)).collect()
    }
}

impl<T> Aim<T> {
    fn verdict(&self, table: &str, records: &[Record<T>]) -> String {
        let Aim { column, least, bound, server } = self;
        let turns = |name| {
            let record = records.iter().find(|record| record.server == name);
            record.and_then(|record| record.turns.as_ref().ok())
        };
        let ours = turns(records[0].server);
        let (times, found) = match server {
            None => (String::new(), ours.map(|ours| column.of(ours))),
            Some(name) => {
                let both = ours.zip(turns(name));
                let found = both.map(|(ours, its)| column.ratio(ours, its));
                (format!(" x {name}'s"), found)
            }
        };
        let side = if *least { "at least" } else { "at most" };
        let aim = format!("{table}: {} {side} {bound}{times}", column.title);
        match found {
            None => format!("{aim}: not measured"),
            Some(is) => {
                let met = if *least { is >= *bound } else { is <= *bound };
                let verdict = if met { "met" } else { "missed" };
                format!("{aim}, is {is:.2}: {verdict}")
            }
        }
    }
}

/// Prints names to the left, numbers to the right. The row of a server that
/// failed has only its name and the error, which may be longer than a number.
fn print_rows(rows: &[Vec<String>]) {
    let full = rows[0].len();
    let width = |column: usize| {
        let cells = rows.iter().filter(|row| row.len() == full);
        cells.map(|row| row[column].chars().count()).max().unwrap_or_default()
    };
    let name = rows.iter().map(|row| row[0].len()).max().unwrap_or_default();
    for row in rows {
        let mut line = format!("  {:name$}", row[0]);
        for (column, cell) in row.iter().enumerate().skip(1) {
            line += &format!("  {cell:>0$}", width(column));
        }
        println!("{}", line.trim_end());
    }
}

pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        n => (values[(n - 1) / 2] + values[n / 2]) / 2.0,
    }
}

pub fn greatest(values: Vec<f64>) -> f64 {
    values.into_iter().fold(f64::NAN, f64::max)
}

pub fn sum(values: Vec<f64>) -> f64 {
    values.into_iter().sum()
}
