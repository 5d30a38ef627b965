//! Parameters as a platform hands them on: one JSON object, which may travel in base64.

use std::collections::BTreeMap;

use crate::plan::strict;
use crate::plan::{Given, Plan, TriggerKind, typed};
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
    let no_object = |error: &str| format!("the parameters are no JSON object: {error}");
    let object = match strict::json(&text).map_err(|error| no_object(&error))? {
        serde_json::Value::Object(object) => object,
        other => return Err(no_object(&format!("`{other}`"))),
    };
    let mut given = BTreeMap::new();
    for (name, value) in object {
        if value.is_null() {
            continue;
        }
        let text = as_typed(&value);
        let is_text = |ty: &Type| match ty {
            Type::String => true,
            Type::Enum(texts) => texts.iter().any(String::is_empty),
            _ => false,
        };
        // An empty field of a form is no value, but for a text; and where the value stands in a file, the field is empty at first.
        let takes_text =
            plan.params.iter().any(|param| param.name == name && is_text(&param.ty) && param.from.is_none());
        if !text.is_empty() || takes_text {
            given.insert(name, Given::Text(text));
        }
    }
    Ok(given)
}

/// Checks the payload of an event from outside against what its trigger declares, and returns the parameters that it sets:
/// those of a field's name. `Err` is the message to show.
pub(super) fn of_payload(
    plan: &Plan,
    event: &str,
    payload: &serde_json::Value,
) -> Result<BTreeMap<String, Given>, String> {
    let declared = plan.triggers.iter().find_map(|trigger| match &trigger.kind {
        TriggerKind::Event { name, payload } if name == event => Some(payload),
        _ => None,
    });
    let declared = declared.ok_or_else(|| format!("no trigger listens to the event `{event}`"))?;
    let empty = serde_json::Map::new();
    let given = match payload {
        serde_json::Value::Null => &empty,
        serde_json::Value::Object(given) => given,
        other => return Err(format!("the payload of `{event}` is no object: `{other}`")),
    };
    for (name, ty) in declared {
        let value = given.get(name).unwrap_or(&serde_json::Value::Null);
        typed(ty, value).map_err(|_| match given.get(name) {
            Some(there) => format!("`{name}` of the event `{event}` is `{there}`, not `{ty}`"),
            None => format!("the event `{event}` has no `{name}`, which is declared as `{ty}`"),
        })?;
    }
    match given.keys().find(|name| declared.iter().all(|(known, _)| known != *name)) {
        Some(unknown) => Err(format!("the event `{event}` has a `{unknown}`, which its trigger does not declare")),
        None => {
            let is_param = |name: &str| plan.params.iter().any(|param| param.name == name);
            let set = given.iter().filter(|(name, value)| is_param(name) && !value.is_null());
            Ok(set.map(|(name, value)| (name.clone(), Given::Text(as_typed(value)))).collect())
        }
    }
}

/// Returns a value as a person would type it.
fn as_typed(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
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
    fn payloads_are_what_their_trigger_declares() {
        let text = "pipeline p\nedition 2026\nexternal event \"retrain\"\non event \"retrain\" { reason: string, rows: int }\n\
                    param rows: int in 1..9 = 1\nstage s { use rows out x: Report = \"x\" run <<< echo > \"$x\" >>> }\n";
        let compiled = crate::compile::compile(&crate::source::Sources::single("p.mlp", text));
        let plan = compiled.plan.unwrap_or_else(|| panic!("{:?}", compiled.diagnostics));
        let said = |event: &str, json: serde_json::Value| of_payload(&plan, event, &json).err().unwrap_or_default();
        assert_eq!(said("retrain", serde_json::json!({"reason": "drift", "rows": 3})), "");
        assert!(said("retrain", serde_json::json!({"reason": "drift", "rows": "3"})).contains("is `\"3\"`, not `int`"));
        assert!(said("retrain", serde_json::json!({"rows": 3})).contains("has no `reason`"));
        assert!(said("retrain", serde_json::Value::Null).contains("has no `reason`"));
        assert!(said("retrain", serde_json::json!({"reason": "", "rows": 3, "x": 1})).contains("has a `x`"));
        let set = of_payload(&plan, "retrain", &serde_json::json!({"reason": "drift", "rows": 3}));
        assert_eq!(set, Ok(BTreeMap::from([("rows".to_owned(), Given::Text("3".to_owned()))])));
        assert!(said("other", serde_json::json!({})).contains("no trigger listens"));
    }

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
