//! What this machine is: processors, memory, GPUs. Observed, never part of a key.

use std::sync::OnceLock;

/// Returns the class of machine, such as `Intel(R) Xeon(R), 2 cores`.
#[must_use]
pub fn class() -> &'static str {
    static CLASS: OnceLock<String> = OnceLock::new();
    CLASS.get_or_init(|| {
        let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model =
            info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':').map(|(_, name)| name));
        let model = model.map_or(std::env::consts::ARCH, str::trim);
        let gpus: String = gpu_names().iter().map(|name| format!(", {name}")).collect();
        format!("{model}, {} cores{gpus}", processors())
    })
}

/// Returns how many processors this process may use.
#[must_use]
pub fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Returns the bytes of memory; everything if that is not known.
#[must_use]
pub fn memory() -> u64 {
    let info = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = info.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok()).map_or(u64::MAX, |kib| kib * 1024)
}

/// Returns how many GPUs there are. A machine that shows none is taken to have one: stages that ask for a GPU then
/// run one at a time, and say themselves what they miss.
#[must_use]
pub fn gpus() -> u32 {
    u32::try_from(gpu_names().len()).unwrap_or(1).max(1)
}

fn gpu_names() -> Vec<String> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir("/proc/driver/nvidia/gpus").into_iter().flatten().flatten() {
        let info = std::fs::read_to_string(entry.path().join("information")).unwrap_or_default();
        let name = info.lines().find_map(|line| line.strip_prefix("Model:"));
        names.push(name.map_or("GPU", str::trim).to_owned());
    }
    names.sort();
    names
}
