//! A builder for tests of the command line: a temporary folder, files in it, and `mlpc` run there with an environment that holds
//! nothing of the machine's but PATH.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A temporary folder that vanishes with the value.
pub(crate) struct Sandbox {
    folder: tempfile::TempDir,
}

/// What a process said and how it ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder") }
    }

    /// Returns the workspace; beside it, and out of it, stands the HOME of what runs.
    pub(crate) fn path(&self) -> PathBuf {
        let work = self.folder.path().join("work");
        std::fs::create_dir_all(&work).expect("the workspace");
        work
    }

    /// Writes a file, making its folders.
    pub(crate) fn file(&self, path: &str, text: &str) -> &Self {
        let path = self.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a file stands in a folder")).expect("its folder");
        std::fs::write(path, text).expect("the file");
        self
    }

    pub(crate) fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.path().join(path)).unwrap_or_else(|problem| panic!("{path}: {problem}"))
    }

    /// Copies what git would keep of a folder of this repository.
    pub(crate) fn copy_of(folder: &str) -> Self {
        let sandbox = Self::new();
        let root = repository().join(folder);
        for path in tracked(&root) {
            let text = std::fs::read(root.join(&path)).expect("a file of the repository");
            let to = sandbox.path().join(&path);
            std::fs::create_dir_all(to.parent().expect("a file stands in a folder")).expect("its folder");
            std::fs::write(to, text).expect("the copy");
        }
        sandbox
    }

    pub(crate) fn mlpc(&self, arguments: &[&str]) -> Ended {
        self.ends(self.command(env!("CARGO_BIN_EXE_mlpc")).args(arguments))
    }

    /// Runs a line of shell, in which `mlpc` is the program under test.
    pub(crate) fn shell(&self, line: &str) -> Ended {
        self.ends(self.command("bash").args(["--noprofile", "--norc", "-uo", "pipefail", "-c", line]))
    }

    fn command(&self, program: &str) -> Command {
        let home = self.folder.path().join("home");
        std::fs::create_dir_all(&home).expect("the home folder");
        let own = Path::new(env!("CARGO_BIN_EXE_mlpc")).parent().expect("the program stands in a folder");
        let path = format!("{}:{}", own.display(), std::env::var("PATH").unwrap_or_default());
        let mut command = Command::new(program);
        command.current_dir(self.path()).stdin(Stdio::null()).env_clear();
        command.env("PATH", path).env("HOME", home).env("NO_COLOR", "1").env("COLUMNS", "120");
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
        for (name, value) in [("NAME", "tester"), ("EMAIL", "tester@example.com")] {
            command.env(format!("GIT_AUTHOR_{name}"), value).env(format!("GIT_COMMITTER_{name}"), value);
        }
        command
    }

    fn ends(&self, command: &mut Command) -> Ended {
        let output = command.output().expect("the program starts");
        Ended {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// Returns the root of this repository.
pub(crate) fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Lists the files below a folder that a run of the examples would not have made, in order, relative to it.
pub(crate) fn tracked(folder: &Path) -> Vec<PathBuf> {
    let walk = ignore::WalkBuilder::new(folder).hidden(false).require_git(false).parents(false).build();
    let mut files: Vec<_> = walk
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_some_and(|kind| kind.is_file()))
        .map(|entry| entry.path().strip_prefix(folder).expect("below the folder").to_owned())
        .filter(|path| !path.starts_with(".git"))
        .collect();
    files.sort();
    files
}
