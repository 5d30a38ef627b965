//! What the values of a column stand for: how they are stored, and what the file says that they are.

use parquet::basic::{ConvertedType, LogicalType, TimeUnit, Type as Stored};
use parquet::schema::types::ColumnDescriptor;

/// What the values of a column stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    Truth,
    Whole,
    /// A whole number without a sign, stored as one with a sign.
    Unsigned,
    Number,
    Half,
    /// So many digits behind the point.
    Decimal(u32),
    Text,
    Uuid,
    Date,
    /// Of so many nanoseconds, since midnight.
    Clock(i64),
    /// Of so many nanoseconds, since 1970; in UTC, or of no zone.
    Moment {
        unit: i64,
        utc: bool,
    },
}

const MILLI: i64 = 1_000_000;
const MICRO: i64 = 1_000;

/// Returns what a column's values stand for; `Err` says what they are instead.
pub(super) fn meaning(column: &ColumnDescriptor) -> Result<Meaning, String> {
    let stored = column.physical_type();
    let meaning = match column.logical_type_ref() {
        Some(logical) => {
            logical_meaning(logical).ok_or_else(|| format!("is of a type that no column of a table is: {logical:?}"))?
        }
        None => converted_meaning(column)?,
    };
    let whole = matches!(stored, Stored::INT32 | Stored::INT64);
    let bytes = matches!(stored, Stored::BYTE_ARRAY | Stored::FIXED_LEN_BYTE_ARRAY);
    let fits = match meaning {
        Meaning::Truth => stored == Stored::BOOLEAN,
        Meaning::Whole | Meaning::Unsigned | Meaning::Clock(_) => whole,
        Meaning::Date => stored == Stored::INT32,
        Meaning::Number => matches!(stored, Stored::FLOAT | Stored::DOUBLE),
        Meaning::Decimal(_) => whole || bytes,
        Meaning::Text => bytes,
        Meaning::Half | Meaning::Uuid => stored == Stored::FIXED_LEN_BYTE_ARRAY,
        Meaning::Moment { .. } => matches!(stored, Stored::INT64 | Stored::INT96),
    };
    if fits { Ok(meaning) } else { Err(format!("is stored as {stored}, which is not what it is said to be")) }
}

fn logical_meaning(logical: &LogicalType) -> Option<Meaning> {
    Some(match logical {
        LogicalType::String | LogicalType::Enum | LogicalType::Json => Meaning::Text,
        LogicalType::Decimal(decimal) => Meaning::Decimal(u32::try_from(decimal.scale).ok()?),
        LogicalType::Date => Meaning::Date,
        LogicalType::Time(time) => Meaning::Clock(nanoseconds(&time.unit)),
        LogicalType::Timestamp(time) => {
            Meaning::Moment { unit: nanoseconds(&time.unit), utc: time.is_adjusted_to_u_t_c }
        }
        LogicalType::Integer(whole) if whole.is_signed => Meaning::Whole,
        LogicalType::Integer(_) => Meaning::Unsigned,
        // A column of nulls alone.
        LogicalType::Unknown => Meaning::Whole,
        LogicalType::Uuid => Meaning::Uuid,
        LogicalType::Float16 => Meaning::Half,
        _ => return None,
    })
}

fn nanoseconds(unit: &TimeUnit) -> i64 {
    match unit {
        TimeUnit::MILLIS => MILLI,
        TimeUnit::MICROS => MICRO,
        TimeUnit::NANOS => 1,
    }
}

/// Reads what older writers say.
fn converted_meaning(column: &ColumnDescriptor) -> Result<Meaning, String> {
    Ok(match column.converted_type() {
        ConvertedType::UTF8 | ConvertedType::ENUM | ConvertedType::JSON => Meaning::Text,
        ConvertedType::DECIMAL => {
            let scale = u32::try_from(column.type_scale()).map_err(|_| "has a decimal point at no place".to_owned())?;
            Meaning::Decimal(scale)
        }
        ConvertedType::DATE => Meaning::Date,
        ConvertedType::TIME_MILLIS => Meaning::Clock(MILLI),
        ConvertedType::TIME_MICROS => Meaning::Clock(MICRO),
        ConvertedType::TIMESTAMP_MILLIS => Meaning::Moment { unit: MILLI, utc: true },
        ConvertedType::TIMESTAMP_MICROS => Meaning::Moment { unit: MICRO, utc: true },
        ConvertedType::INT_8 | ConvertedType::INT_16 | ConvertedType::INT_32 | ConvertedType::INT_64 => Meaning::Whole,
        ConvertedType::UINT_8 | ConvertedType::UINT_16 | ConvertedType::UINT_32 | ConvertedType::UINT_64 => {
            Meaning::Unsigned
        }
        ConvertedType::NONE => match column.physical_type() {
            Stored::BOOLEAN => Meaning::Truth,
            Stored::INT32 | Stored::INT64 => Meaning::Whole,
            // Hive and Spark wrote times so.
            Stored::INT96 => Meaning::Moment { unit: 1, utc: false },
            Stored::FLOAT | Stored::DOUBLE => Meaning::Number,
            Stored::BYTE_ARRAY | Stored::FIXED_LEN_BYTE_ARRAY => {
                return Err("holds bytes, and the file does not say that they are texts: write it as strings".into());
            }
        },
        other => return Err(format!("is of a type that no column of a table is: {other}")),
    })
}
