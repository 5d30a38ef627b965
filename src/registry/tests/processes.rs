//! Whole processes that write at once and are killed in the middle: this test binary, started again.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use super::*;

const JOB: &str = "MLPC_TEST_REGISTRY_JOB";

/// What the other process is told.
#[derive(serde::Serialize, serde::Deserialize)]
struct Job {
    name: String,
    location: RegistryLocation,
    workspace: PathBuf,
}

/// Registers and promotes until it is killed, if it was started by the test below; else there is nothing to do.
#[test]
fn job_of_the_other_process() {
    let Ok(job) = std::env::var(JOB) else { return };
    let job: Job = serde_json::from_str(&job).expect("a job");
    let registry = open("models", &job.location, &job.workspace, clock()).expect("opened");
    let place = Place { folder: tempfile::tempdir_in(&job.workspace).expect("a folder"), location: job.location };
    for round in 0.. {
        let candidate = place.candidate(&format!("{}-{round}", job.name));
        let Some(registered) = unless_too_slow(registry.register(&candidate)) else { continue };
        let expected = registry.pointer("production").expect("read").map(|pointer| pointer.version);
        let promotion = Promotion { expected, ..wish(&registered.version, None) };
        if let Some(Outcome::Promoted(pointer)) = unless_too_slow(registry.promote(&promotion)) {
            let line = format!("promoted {}", pointer.version);
            std::io::Write::write_all(&mut std::io::stdout(), format!("\n{line}\n").as_bytes()).expect("heard");
        }
    }
}

/// Others who never pause may be quicker ten times; that is said and changes nothing.
fn unless_too_slow<T: std::fmt::Debug>(result: Result<T, RegistryError>) -> Option<T> {
    match result {
        Err(error) if error.to_string().contains("was changed by others 10 times") => None,
        result => Some(result.expect("works")),
    }
}

fn start(place: &Place, name: &str) -> Child {
    let job = Job { name: name.to_owned(), location: place.location.clone(), workspace: place.machine(name) };
    Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "registry::tests::processes::job_of_the_other_process", "--nocapture"])
        .env(JOB, serde_json::to_string(&job).expect("text"))
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .expect("started")
}

/// Waits until a process has promoted so many times, and kills it at whatever it is doing then.
fn kill_after(child: &mut Child, promotions: usize) -> Vec<String> {
    let lines = BufReader::new(child.stdout.take().expect("piped")).lines().map_while(Result::ok);
    let promoted = lines.filter_map(|line| line.strip_prefix("promoted ").map(str::to_owned));
    let promoted: Vec<_> = promoted.take(promotions).collect();
    child.kill().expect("killed");
    child.wait().expect("ended");
    assert_eq!(promoted.len(), promotions, "it ended by itself");
    promoted
}

fn check(place: &Place, told: &[String]) {
    let registry = place.open("first");
    let findings = registry.fsck().expect("read");
    assert!(findings.iter().all(|finding| finding.repaired), "{findings:?}");
    assert_eq!(registry.fsck().expect("read"), []);
    let history = registry.history("production").expect("read");
    let mut previous: Option<String> = None;
    for entry in &history {
        assert_eq!(entry.previous, previous, "each step was made on the one before it");
        previous = Some(entry.version.clone());
    }
    for version in told {
        assert!(history.iter().any(|entry| entry.version == *version), "a promotion was told and lost");
    }
    assert_eq!(registry.pointer("production").expect("read").map(|pointer| pointer.version), previous);
}

#[test]
fn processes_that_are_killed_while_they_race_lose_nothing_that_they_told() {
    for (place, promotions) in [(Place::directory(), 12), (Place::git(), 1)] {
        let mut children = ["m1", "m2"].map(|name| start(&place, name));
        let mut told = kill_after(&mut children[0], promotions);
        told.extend(kill_after(&mut children[1], 1));
        check(&place, &told);
        // And it goes on from there.
        let next = place.register("next");
        let current = place.open("first").pointer("production").expect("read").map(|pointer| pointer.version);
        let promotion = Promotion { expected: current, ..wish(&next, None) };
        assert!(matches!(place.open("first").promote(&promotion), Ok(Outcome::Promoted(_))));
        check(&place, &told);
    }
}
