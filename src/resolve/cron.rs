//! The five fields of a schedule.

/// Checks the fields and their ranges.
pub(super) fn check(text: &str) -> Result<(), String> {
    const FIELDS: [(&str, u32, u32); 5] =
        [("minute", 0, 59), ("hour", 0, 23), ("day of the month", 1, 31), ("month", 1, 12), ("day of the week", 0, 7)];
    let written: Vec<&str> = text.split_ascii_whitespace().collect();
    if written.len() != FIELDS.len() {
        return Err(format!("it has {} fields", written.len()));
    }
    for (field, (what, low, high)) in written.into_iter().zip(FIELDS) {
        for part in field.split(',') {
            check_part(part, low, high).ok_or_else(|| format!("`{part}` is no {what}"))?;
        }
    }
    Ok(())
}

fn check_part(part: &str, low: u32, high: u32) -> Option<()> {
    let (range, step) = match part.split_once('/') {
        Some((range, step)) => (range, Some(step)),
        None => (part, None),
    };
    if let Some(step) = step {
        number(step).filter(|step| (1..=high).contains(step))?;
    }
    if range == "*" {
        return Some(());
    }
    let (from, to) = match range.split_once('-') {
        Some((from, to)) => (value(from)?, value(to)?),
        None => (value(range)?, value(range)?),
    };
    (low <= from && from <= to && to <= high).then_some(())
}

fn number(text: &str) -> Option<u32> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

fn value(text: &str) -> Option<u32> {
    const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
    const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let lower = text.to_ascii_lowercase();
    let named =
        |names: &[&str], first: usize| names.iter().position(|name| *name == lower).map(|at| (at + first) as u32);
    number(text).or_else(|| named(&DAYS, 0)).or_else(|| named(&MONTHS, 1))
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn schedules_have_five_fields_in_their_ranges() {
        for good in ["0 6 * * 1", "*/15 0-6,22 1 jan mon-fri", "5 4 * * sun"] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in ["", "0 6 * *", "60 6 * * 1", "0 24 * * 1", "0 6 0 * 1", "0 6 * 13 1", "x 6 * * 1", "5-1 * * * *"] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
