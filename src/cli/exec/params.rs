//! Parameters as a platform hands them on: one JSON object, which may travel in base64.

use std::collections::BTreeMap;

use crate::plan::{Given, Plan};
use crate::types::Type;

/// Reads the parameters that a platform gives; `Err` is the message to show.
pub(super) fn read(plan: &Plan, base64: Option<&str>, plain: Option<&str>) -> Result<BTreeMap<String, Given>, String> {
    let text = match base64 {
        Some(text) => decode(text.trim()).ok_or("`--params` is not base64")?,
        None => plain.unwrap_or_default().to_owned(),
    };
    if text.trim().is_empty() || text.trim() == "null" {
        return Ok(BTreeMap::new());
    }
    let object: BTreeMap<String, serde_json::Value> =
        serde_json::from_str(&text).map_err(|error| format!("the parameters are no JSON object: {error}"))?;
    let mut given = BTreeMap::new();
    for (name, value) in object {
        let text = match value {
            serde_json::Value::Null => continue,
            serde_json::Value::String(text) => text,
            other => other.to_string(),
        };
        // An empty field of a form is no value, but for a text.
        let takes_text = plan.params.iter().any(|param| param.name == name && matches!(param.ty, Type::String));
        if !text.is_empty() || takes_text {
            given.insert(name, Given::Text(text));
        }
    }
    Ok(given)
}

/// Decodes base64 with padding to text.
fn decode(text: &str) -> Option<String> {
    let digit = |byte: u8| {
        Some(u32::from(match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        }))
    };
    let digits = text.trim_end_matches('=');
    if digits.len() % 4 == 1 || !text.len().is_multiple_of(4) {
        return None;
    }
    let (mut bytes, mut bits, mut held) = (Vec::new(), 0, 0);
    for byte in digits.bytes() {
        held = held << 6 | digit(byte)?;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from(held >> bits & 0xff).ok()?);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_read_or_refused() {
        assert_eq!(decode("eyJhIjogMX0="), Some("{\"a\": 1}".into()));
        assert_eq!(decode("w6k="), Some("é".into()));
        assert_eq!(decode(""), Some(String::new()));
        for wrong in ["e", "ey", "eyJ*", "/////w=="] {
            assert_eq!(decode(wrong), None, "{wrong}");
        }
    }
}
