//! What this machine is: processors, memory, GPUs. Observed, never part of a key.

use std::sync::OnceLock;

/// Returns the class of machine, such as `Intel(R) Xeon(R), 2 cores`.
#[must_use]
pub fn class() -> &'static str {
    static CLASS: OnceLock<String> = OnceLock::new();
    CLASS.get_or_init(|| {
        let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = model(&info).unwrap_or_else(unnamed);
        let gpus: String = gpu_names().iter().map(|name| format!(", {name}")).collect();
        format!("{model}, {} cores{gpus}", processors())
    })
}

/// Returns the processor's name, or on ARM the numbers that stand for it.
fn model(info: &str) -> Option<String> {
    let field = |name: &str| {
        let rest = info.lines().find_map(|line| line.strip_prefix(name))?;
        rest.trim_start().strip_prefix(':').map(str::trim).filter(|text| !text.is_empty())
    };
    let part = || Some(format!("{} {} {}", std::env::consts::ARCH, field("CPU implementer")?, field("CPU part")?));
    field("model name").map(str::to_owned).or_else(part)
}

/// Where the system names no processor, every machine is a class of its own: none is taken for another.
fn unnamed() -> String {
    let names = rustix::system::uname();
    format!("{} {}", std::env::consts::ARCH, names.nodename().to_string_lossy())
}

/// Returns how many processors this process may use. To find it out reads several files; once does.
#[must_use]
pub fn processors() -> usize {
    static PROCESSORS: OnceLock<usize> = OnceLock::new();
    *PROCESSORS.get_or_init(|| std::thread::available_parallelism().map_or(1, usize::from))
}

/// Returns what tells this boot of the machine from every other one, where the kernel says it.
#[must_use]
pub fn boot() -> Option<&'static str> {
    static BOOT: OnceLock<Option<String>> = OnceLock::new();
    let read = || {
        let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
        Some(id.trim().to_owned()).filter(|id| !id.is_empty())
    };
    BOOT.get_or_init(read).as_deref()
}

/// Returns the login of the user that this process acts as, where the machine's own list has it.
#[must_use]
pub fn user() -> Option<String> {
    login(&std::fs::read_to_string("/etc/passwd").ok()?, rustix::process::geteuid().as_raw())
}

fn login(passwd: &str, user: u32) -> Option<String> {
    let entries = passwd.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let found = entries.into_iter().find(|entry| entry.get(2).and_then(|id| id.parse().ok()) == Some(user))?;
    found.first().filter(|login| !login.is_empty()).map(|login| (*login).to_owned())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_found_by_its_number() {
        let passwd = "root:x:0:0:root:/root:/bin/bash\n# a comment\nada:x:1000:1000::/home/ada:/bin/sh\n:x:7:7::/:\n";
        assert_eq!(login(passwd, 0).as_deref(), Some("root"));
        assert_eq!(login(passwd, 1000).as_deref(), Some("ada"));
        assert_eq!((login(passwd, 7), login(passwd, 12)), (None, None));
    }

    #[test]
    fn the_processor_is_named_as_the_system_names_it() {
        let intel = "processor\t: 0\nmodel\t\t: 106\nmodel name\t: Intel(R) Xeon(R) CPU @ 2.60GHz\n";
        assert_eq!(model(intel).as_deref(), Some("Intel(R) Xeon(R) CPU @ 2.60GHz"));
        let arm = model("processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: 0xd0c\n").expect("two numbers");
        assert!(arm.ends_with("0x41 0xd0c"), "{arm}");
        assert_eq!(model("processor\t: 0\n"), None);
        assert!(class().contains(" cores"), "{}", class());
    }
}
