//! One column of a row group: a batch of its values, and the cell of a row.

use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, DataType, FixedLenByteArray, Int96};

use super::meaning::Meaning;
use super::{BATCH, broken};
use crate::data::{Cell, Problem};

/// A column that is being read.
pub(super) struct Column<'n> {
    name: &'n str,
    meaning: Meaning,
    reader: ColumnReader,
    /// 1 where a row has a value; empty where every row has one.
    levels: Vec<i16>,
    values: Values,
}

/// Values as cells are made of them.
enum Values {
    Truths(Vec<bool>),
    Wholes(Vec<i64>),
    Numbers(Vec<f64>),
    Texts(Vec<ByteArray>),
    /// What is written in another way than it is stored.
    Written(Vec<String>),
}

impl<'n> Column<'n> {
    pub(super) fn new(name: &'n str, meaning: Meaning, reader: ColumnReader) -> Self {
        Self { name, meaning, reader, levels: Vec::with_capacity(BATCH), values: Values::Truths(Vec::new()) }
    }

    /// Reads the next rows, all of them; `before` are behind.
    pub(super) fn fill(&mut self, rows: usize, before: u64) -> Result<(), Problem> {
        self.levels.clear();
        let (levels, meaning) = (&mut self.levels, self.meaning);
        let wrong = |what: &str| Problem::whole(format!("`{}`, near row {}: {what}", self.name, before + 1));
        let written = |texts: Option<Vec<String>>| {
            texts.map(Values::Written).ok_or_else(|| wrong("a value that its type can't hold"))
        };
        self.values = match &mut self.reader {
            ColumnReader::BoolColumnReader(reader) => Values::Truths(take(reader, rows, levels)?),
            ColumnReader::FloatColumnReader(reader) => {
                Values::Numbers(take(reader, rows, levels)?.into_iter().map(f64::from).collect())
            }
            ColumnReader::DoubleColumnReader(reader) => Values::Numbers(take(reader, rows, levels)?),
            ColumnReader::Int32ColumnReader(reader) => {
                let values = take(reader, rows, levels)?;
                match meaning {
                    Meaning::Whole => Values::Wholes(values.into_iter().map(i64::from).collect()),
                    Meaning::Unsigned => {
                        Values::Wholes(values.into_iter().map(|value| i64::from(value.cast_unsigned())).collect())
                    }
                    _ => written(values.into_iter().map(|value| write(meaning, i64::from(value))).collect())?,
                }
            }
            ColumnReader::Int64ColumnReader(reader) => {
                let values = take(reader, rows, levels)?;
                match meaning {
                    Meaning::Whole => Values::Wholes(values),
                    _ => written(values.into_iter().map(|value| write(meaning, value)).collect())?,
                }
            }
            ColumnReader::Int96ColumnReader(reader) => {
                written(take(reader, rows, levels)?.iter().map(old_moment).collect())?
            }
            ColumnReader::ByteArrayColumnReader(reader) => {
                let values = take(reader, rows, levels)?;
                match meaning {
                    Meaning::Text => Values::Texts(values),
                    _ => written(values.iter().map(|value| written_bytes(meaning, value.data())).collect())?,
                }
            }
            ColumnReader::FixedLenByteArrayColumnReader(reader) => {
                let values: Vec<FixedLenByteArray> = take(reader, rows, levels)?;
                match meaning {
                    Meaning::Text => Values::Texts(values.into_iter().map(ByteArray::from).collect()),
                    Meaning::Half => {
                        let halves: Option<_> = values.iter().map(|value| half(value.data())).collect();
                        Values::Numbers(halves.ok_or_else(|| wrong("half a number is not two bytes"))?)
                    }
                    _ => written(values.iter().map(|value| written_bytes(meaning, value.data())).collect())?,
                }
            }
        };
        let values = if self.levels.is_empty() { rows } else { self.levels.iter().filter(|level| **level > 0).count() };
        if values != self.values.len() || !(self.levels.is_empty() || self.levels.len() == rows) {
            return Err(wrong("the column ends before the others"));
        }
        Ok(())
    }

    /// Returns the cell of a row of the batch; `next` counts the values behind.
    pub(super) fn cell(&self, row: usize, next: &mut usize, line: u64) -> Result<Cell<'_>, Problem> {
        if self.levels.get(row) == Some(&0) {
            return Ok(Cell::Null);
        }
        let at = *next;
        *next += 1;
        let cell = match &self.values {
            Values::Truths(values) => values.get(at).map(|value| Cell::Bool(*value)),
            Values::Wholes(values) => values.get(at).map(|value| Cell::Int(*value)),
            Values::Numbers(values) => values.get(at).map(|value| Cell::Float(*value)),
            Values::Texts(values) => match values.get(at) {
                Some(bytes) => Some(Cell::Text(
                    std::str::from_utf8(bytes.data())
                        .map_err(|_| Problem::at(line, format!("`{}` is not UTF-8", self.name)))?,
                )),
                None => None,
            },
            Values::Written(values) => values.get(at).map(|text| match self.meaning {
                Meaning::Decimal(_) | Meaning::Unsigned => Cell::Decimal(text),
                Meaning::Date | Meaning::Moment { .. } => Cell::Time(text),
                _ => Cell::Text(text),
            }),
        };
        cell.ok_or_else(|| Problem::at(line, format!("`{}` ends before the others", self.name)))
    }
}

impl Values {
    fn len(&self) -> usize {
        match self {
            Self::Truths(values) => values.len(),
            Self::Wholes(values) => values.len(),
            Self::Numbers(values) => values.len(),
            Self::Texts(values) => values.len(),
            Self::Written(values) => values.len(),
        }
    }
}

/// Takes so many rows, with their levels where rows may have no value.
fn take<T: DataType>(
    reader: &mut ColumnReaderImpl<T>,
    rows: usize,
    levels: &mut Vec<i16>,
) -> Result<Vec<T::T>, Problem> {
    let mut values = Vec::with_capacity(rows);
    let mut read = 0;
    while read < rows {
        let (records, _, _) =
            reader.read_records(rows - read, Some(levels), None, &mut values).map_err(|error| broken(&error))?;
        if records == 0 {
            break;
        }
        read += records;
    }
    Ok(values)
}

/// Writes a whole number as what it stands for; `None` where that can't be.
fn write(meaning: Meaning, value: i64) -> Option<String> {
    Some(match meaning {
        Meaning::Decimal(scale) => decimal(i128::from(value), scale)?,
        Meaning::Unsigned => value.cast_unsigned().to_string(),
        Meaning::Date => {
            let days = jiff::Span::new().try_days(value).ok()?;
            jiff::civil::date(1970, 1, 1).checked_add(days).ok()?.to_string()
        }
        Meaning::Clock(unit) => {
            let since = jiff::SignedDuration::from_nanos(value.checked_mul(unit)?);
            jiff::civil::Time::midnight().checked_add(since).ok()?.to_string()
        }
        Meaning::Moment { unit, utc } => {
            let moment = jiff::Timestamp::from_nanosecond(i128::from(value) * i128::from(unit)).ok()?;
            if utc { moment.to_string() } else { jiff::tz::Offset::UTC.to_datetime(moment).to_string() }
        }
        _ => return None,
    })
}

/// Nanoseconds of a day, and the day by the Julian calendar's count, which began 2,440,588 days before 1970.
fn old_moment(value: &Int96) -> Option<String> {
    let &[low, high, day] = value.data() else { return None };
    let nanoseconds = (i128::from(high) << 32) + i128::from(low);
    let days = i128::from(day) - 2_440_588;
    let moment = jiff::Timestamp::from_nanosecond(days * 86_400_000_000_000 + nanoseconds).ok()?;
    Some(jiff::tz::Offset::UTC.to_datetime(moment).to_string())
}

fn written_bytes(meaning: Meaning, bytes: &[u8]) -> Option<String> {
    match meaning {
        Meaning::Decimal(scale) => decimal(signed(bytes)?, scale),
        Meaning::Uuid if bytes.len() == 16 => {
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            Some([&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-"))
        }
        _ => None,
    }
}

/// Reads a whole number of up to 16 bytes, the highest first, in two's complement.
fn signed(bytes: &[u8]) -> Option<i128> {
    if bytes.is_empty() || bytes.len() > 16 {
        return None;
    }
    let start = if bytes[0] & 0x80 == 0 { 0 } else { -1 };
    Some(bytes.iter().fold(start, |number: i128, byte| (number << 8) | i128::from(*byte)))
}

/// Writes a whole number with so many of its digits behind a point.
fn decimal(unscaled: i128, scale: u32) -> Option<String> {
    let scale = usize::try_from(scale).ok().filter(|scale| *scale <= 64)?;
    let digits = format!("{:0>width$}", unscaled.unsigned_abs(), width = scale + 1);
    let sign = if unscaled < 0 { "-" } else { "" };
    let (whole, rest) = digits.split_at(digits.len() - scale);
    Some(if scale == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{rest}") })
}

/// Reads a number of IEEE 754 with 16 bits, the lowest byte first.
fn half(bytes: &[u8]) -> Option<f64> {
    let bits = u16::from_le_bytes(bytes.try_into().ok()?);
    let (exponent, fraction) = (i32::from(bits >> 10 & 0x1f), f64::from(bits & 0x3ff));
    let size = match exponent {
        0 => fraction * f64::powi(2.0, -24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1.0 + fraction / 1024.0) * f64::powi(2.0, exponent - 15),
    };
    Some(if bits & 0x8000 == 0 { size } else { -size })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_times_are_written_as_people_write_them() {
        assert_eq!(decimal(12_345, 2).as_deref(), Some("123.45"));
        assert_eq!(decimal(-5, 3).as_deref(), Some("-0.005"));
        assert_eq!(decimal(7, 0).as_deref(), Some("7"));
        assert_eq!((signed(&[0xff, 0x38]), signed(&[0, 200]), signed(&[])), (Some(-200), Some(200), None));
        assert_eq!(write(Meaning::Date, 20_487).as_deref(), Some("2026-02-03"));
        assert_eq!(write(Meaning::Date, i64::MAX), None);
        let moment = |unit, utc, value| write(Meaning::Moment { unit, utc }, value);
        assert_eq!(moment(1_000_000, true, 1_500).as_deref(), Some("1970-01-01T00:00:01.5Z"));
        assert_eq!(moment(1_000, false, -1).as_deref(), Some("1969-12-31T23:59:59.999999"));
        assert_eq!(write(Meaning::Clock(1_000), 3_600_000_000).as_deref(), Some("01:00:00"));
        assert_eq!(write(Meaning::Unsigned, -1).as_deref(), Some("18446744073709551615"));
        let mut old = Int96::new();
        old.set_data(1_000_000_000, 0, 2_440_589);
        assert_eq!(old_moment(&old).as_deref(), Some("1970-01-02T00:00:01"));
        assert_eq!(
            (half(&[0, 0x3c]), half(&[0, 0xc0]), half(&[1, 0])),
            (Some(1.0), Some(-2.0), Some(f64::powi(2.0, -24)))
        );
    }
}
