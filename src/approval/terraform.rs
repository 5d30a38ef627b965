//! What a Terraform plan would change, read off the plan's own bytes: Terraform is not asked, since it runs the providers of
//! whoever wrote the configuration. A plan is a ZIP archive with an entry `tfplan`, a Protocol Buffers message of version 3
//! (`planfile.proto` of Terraform; OpenTofu kept it). Values are never looked at: they hold secrets.
//!
//! What is not read for certain is no summary: an action, a version or a part of the plan that is not known gives none.

use serde::{Deserialize, Serialize};

use super::archive;

/// A plan of more bytes, packed or not, is not looked into.
pub const MOST: u64 = 64 << 20;

/// The entry of the archive that is the plan itself.
const ENTRY: &[u8] = b"tfplan";

/// The parts of a plan that change nothing but through the resources and outputs that are counted. What is not among them may: Terraform
/// 1.14 has actions of providers (30, 32) and what is put off (27, 31).
const KNOWN: [u64; 19] = [1, 2, 3, 4, 5, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 25, 26, 28, 29];

/// Of a plan that changes more resources there is no summary: nobody reads it, and every record of the question would hold it.
const RESOURCES: usize = 10_000;

/// What a plan would change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changes {
    /// Resources that come under Terraform's care as they are.
    #[serde(default)]
    pub import: usize,
    /// Resources that are made; a replaced one is made and destroyed.
    pub add: usize,
    /// Resources that are changed in place.
    pub change: usize,
    /// Resources that are destroyed.
    pub destroy: usize,
    /// Outputs that change.
    #[serde(default)]
    pub outputs: usize,
    /// A mark and an address for each resource, by address: `+ aws_s3_bucket.models`.
    pub resources: Vec<String>,
}

impl Changes {
    /// Returns the counts in Terraform's words: `3 to add, 1 to change, 2 to destroy`.
    #[must_use]
    pub fn counts(&self) -> String {
        let import = if self.import > 0 { format!("{} to import, ", self.import) } else { String::new() };
        format!("{import}{} to add, {} to change, {} to destroy", self.add, self.change, self.destroy)
    }
}

/// Tells whether bytes that [`read`] makes nothing of are the end of an archive that names a plan's entry all the same.
pub(super) fn is_named(bytes: &[u8]) -> bool {
    let has = |wanted: &[u8]| bytes.windows(wanted.len()).any(|window| window == wanted);
    has(archive::MARK) && has(ENTRY)
}

/// Reads a plan; none where it is no plan, or not one that can be read for certain.
#[must_use]
pub fn read(bytes: &[u8]) -> Option<Changes> {
    let plan = archive::entry(bytes, ENTRY, MOST)?;
    let mut changes = Changes::default();
    let mut resources: Vec<(String, &str)> = Vec::new();
    let mut version = None;
    for field in Fields(&plan) {
        let field = field?;
        if !KNOWN.contains(&field.0) {
            return None;
        }
        match field {
            (1, Wire::Number(number)) => version = Some(number),
            (3, Wire::Bytes(resource)) => {
                if let Some((address, mark)) = resource_change(resource, &mut changes)? {
                    resources.push((address, mark));
                }
                if resources.len() > RESOURCES {
                    return None;
                }
            }
            (4, Wire::Bytes(output)) => changes.outputs += usize::from(action_of(output, 2)?.0 != 0),
            _ => {}
        }
    }
    if version != Some(3) {
        return None;
    }
    resources.sort();
    changes.resources = resources.into_iter().map(|(address, mark)| format!("{mark} {address}")).collect();
    Some(changes)
}

/// Counts the change of a resource; returns its address and mark, nothing where it stays as it is.
fn resource_change(message: &[u8], changes: &mut Changes) -> Option<Option<(String, &'static str)>> {
    let (mut address, mut before, mut deposed) = (String::new(), String::new(), false);
    for field in Fields(message) {
        match field? {
            (13, Wire::Bytes(text)) => address = String::from_utf8_lossy(text).into_owned(),
            (14, Wire::Bytes(text)) => before = String::from_utf8_lossy(text).into_owned(),
            (7, Wire::Bytes(text)) => deposed = !text.is_empty(),
            _ => {}
        }
    }
    if address.is_empty() {
        return None;
    }
    let (action, imported) = action_of(message, 9)?;
    changes.import += usize::from(imported);
    let moved = !before.is_empty() && before != address;
    let (add, change, destroy, mark) = match action {
        0 if imported => (0, 0, 0, "import"),
        0 if moved => (0, 0, 0, "moved"),
        // Read while it is applied: nothing is changed.
        0 | 2 => return Some(None),
        1 => (1, 0, 0, "+"),
        3 => (0, 1, 0, "~"),
        5 => (0, 0, 1, "-"),
        6 => (1, 0, 1, "-/+"),
        7 => (1, 0, 1, "+/-"),
        8 => (0, 0, 0, "forget"),
        _ => return None,
    };
    changes.add += add;
    changes.change += change;
    changes.destroy += destroy;
    if deposed {
        address.push_str(" (deposed)");
    }
    if moved {
        address = format!("{address} (was {before})");
    }
    Some(Some((address, mark)))
}

/// Returns the action of the change that stands in a field, and whether it imports.
fn action_of(message: &[u8], wanted: u64) -> Option<(u64, bool)> {
    let (mut action, mut imported) = (0, false);
    for field in Fields(message) {
        let (number, Wire::Bytes(change)) = field? else { continue };
        if number != wanted {
            continue;
        }
        for field in Fields(change) {
            match field? {
                (1, Wire::Number(number)) => action = number,
                (5, Wire::Bytes(_)) => imported = true,
                _ => {}
            }
        }
    }
    Some((action, imported))
}

/// A field of a message.
enum Wire<'b> {
    Number(u64),
    Bytes(&'b [u8]),
    /// Of a fixed width, which nothing that is read here has.
    Other,
}

/// The fields of a message with their numbers; `None` where it breaks off, after which nothing more comes.
struct Fields<'b>(&'b [u8]);

impl<'b> Iterator for Fields<'b> {
    type Item = Option<(u64, Wire<'b>)>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_none() {
            self.0 = &[];
        }
        Some(field)
    }
}

impl<'b> Fields<'b> {
    fn field(&mut self) -> Option<(u64, Wire<'b>)> {
        let tag = self.number()?;
        let wire = match tag & 7 {
            0 => Wire::Number(self.number()?),
            1 => self.take(8).map(|_| Wire::Other)?,
            2 => {
                let length = usize::try_from(self.number()?).ok()?;
                Wire::Bytes(self.take(length)?)
            }
            5 => self.take(4).map(|_| Wire::Other)?,
            _ => return None,
        };
        Some((tag >> 3, wire))
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = *self.take(1)?.first()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn take(&mut self, length: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Both were written by Terraform 1.11.4.
    const CHANGES: &[u8] = include_bytes!("../../tests/fixtures/terraform/changes.tfplan");
    const MOVES: &[u8] = include_bytes!("../../tests/fixtures/terraform/moves.tfplan");

    #[test]
    fn a_plan_is_counted_as_terraform_counts_it() {
        let changes = read(CHANGES).expect("a plan");
        assert_eq!(changes.counts(), "3 to add, 1 to change, 2 to destroy");
        assert_eq!(changes.outputs, 1);
        assert_eq!(
            changes.resources,
            [
                "~ terraform_data.changed",
                "- terraform_data.gone",
                "+ terraform_data.more[\"a b\"]",
                "+ terraform_data.more[\"c\"]",
                "-/+ terraform_data.replaced",
            ]
        );
        let moves = read(MOVES).expect("a plan");
        assert_eq!(moves.counts(), "1 to import, 0 to add, 0 to change, 2 to destroy");
        assert_eq!(
            moves.resources,
            [
                "forget terraform_data.changed",
                "- terraform_data.gone",
                "import terraform_data.imp",
                "moved terraform_data.kept2 (was terraform_data.kept)",
                "- terraform_data.replaced",
            ]
        );
    }

    #[test]
    fn no_value_is_among_what_is_read() {
        for plan in [CHANGES, MOVES] {
            let text = format!("{:?}", read(plan).expect("a plan"));
            assert!(!text.contains("hush") && !text.contains("changed-output"), "{text}");
        }
    }

    #[test]
    fn what_is_cut_or_bent_anywhere_is_no_plan_or_the_same_kind_of_answer() {
        assert_eq!(read(b""), None);
        assert_eq!(read(b"PK\x05\x06"), None);
        for end in 0..CHANGES.len() {
            assert_eq!(read(&CHANGES[..end]), None, "cut at {end}");
        }
        for at in 0..CHANGES.len() {
            for bend in [0x00, 0x01, 0x7f, 0xff] {
                let mut bent = CHANGES.to_vec();
                bent[at] ^= bend;
                // It ends, without a panic.
                let _ = read(&bent);
            }
        }
    }
}
