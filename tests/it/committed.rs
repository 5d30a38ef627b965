//! What `--release` takes for the commit's: the bytes that a clone of it has, whatever one clone's settings make of them.

use crate::sandbox::{Ended, Sandbox};

const PIPELINE: &str = r#"pipeline p
edition 2026
on push { branches: ["main"] }
registry models = git("models")
stage train {
  code "src/**"
  out  model: File = "out/model"
  run <<< cat src/*.txt > "$model" >>>
}
register release = train.model to models ungated "a test"
promote current = release to models@production
"#;

/// A repository whose `main` was pushed.
fn pushed() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.file("p.mlp", PIPELINE).file("src/a.txt", "code\n").file("alt/z.txt", "high\n").file("v2/v.txt", "two\n");
    sandbox.file(".gitignore", "out/\n.mlpc/\n");
    let init = "git init -q --bare -b main ../remote.git && git init -q -b main && git remote add origin ../remote.git";
    shell(&sandbox, init);
    push(&sandbox);
    sandbox
}

fn shell(sandbox: &Sandbox, line: &str) {
    let ended = sandbox.shell(line);
    assert_eq!(ended.code, 0, "{line}: {ended:?}");
}

fn push(sandbox: &Sandbox) {
    shell(sandbox, "git add -A && git commit -q -m more && git push -q origin main");
}

fn release(sandbox: &Sandbox) -> Ended {
    sandbox.mlpc(&["run", "--release"])
}

fn released(sandbox: &Sandbox) {
    let ended = release(sandbox);
    assert_eq!(ended.code, 0, "{ended:?}");
}

/// Refused, for a reason in which `why` stands, although git calls the tree clean.
fn refused(sandbox: &Sandbox, why: &str) {
    shell(sandbox, r#"test -z "$(git status --porcelain)""#);
    let ended = release(sandbox);
    assert!(ended.code == 2 && ended.stderr.contains(why), "{why}: {ended:?}");
}

#[test]
fn a_link_that_the_commit_has_not_leads_to_no_file_of_it() {
    let sandbox = pushed();
    released(&sandbox);
    shell(&sandbox, "ln -s ../alt/z.txt src/z.txt && echo src/z.txt > .git/info/exclude");
    refused(&sandbox, "needs a clean tree, and `src/z.txt` is not committed");
    shell(&sandbox, "rm src/z.txt && ln -s ../v2 src/now && echo src/now > .git/info/exclude");
    sandbox.file("p.mlp", &PIPELINE.replace("src/**\"", "src/now/v.txt\"").replace("src/*.txt", "src/now/v.txt"));
    push(&sandbox);
    refused(&sandbox, "needs a clean tree, and `src/now` is not committed");
    // The link itself in the commit: its place from the top of the repository, and no place of this machine.
    shell(&sandbox, "rm .git/info/exclude");
    push(&sandbox);
    released(&sandbox);
    shell(&sandbox, r#"ln -sfn "$PWD/v2" src/now"#);
    push(&sandbox);
    refused(&sandbox, "and `src/now` is not committed");
    // Where links are not kept as links, git takes a file for one.
    shell(&sandbox, "ln -sfn ../v2 src/now && git add -A && git commit -q -m back && git push -q origin main");
    shell(&sandbox, "git config core.symlinks false && rm src/now && printf ../v2 > src/now");
    sandbox.file("p.mlp", &PIPELINE.replace("src/**\"", "src/now\""));
    push(&sandbox);
    refused(&sandbox, "the link `src/now` leads elsewhere here\n  help: `git config core.symlinks true`");
}

#[test]
fn what_a_filter_of_this_clone_hides_is_not_released() {
    let sandbox = pushed();
    sandbox.file(".git/info/attributes", "src/a.txt filter=f\n");
    shell(&sandbox, "git config filter.f.clean 'cat > /dev/null; git cat-file blob HEAD:src/a.txt'");
    sandbox.file("src/a.txt", "EVIL\n");
    refused(&sandbox, "`src/a.txt` has other bytes here: a filter of this clone stands between them");
    shell(&sandbox, "rm .git/info/attributes src/a.txt && git checkout -- src/a.txt");
    released(&sandbox);
    // A filter that the commit declares is still one that this clone alone has.
    sandbox.file(".gitattributes", "src/a.txt filter=f\n").file("src/a.txt", "EVIL\n");
    push(&sandbox);
    refused(&sandbox, "`src/a.txt` has other bytes here");
    shell(&sandbox, "git rm -q --cached .gitattributes && rm .gitattributes src/a.txt && git checkout -- src/a.txt");
    push(&sandbox);
    // Neither the sign that a file may be run.
    shell(&sandbox, "git config core.fileMode false && chmod +x src/a.txt");
    refused(&sandbox, "`src/a.txt` is executable here alone\n  help: `chmod -x src/a.txt`");
}

#[test]
fn line_ends_are_those_that_any_clone_has() {
    let sandbox = pushed();
    sandbox.file("src/a.txt", "code\r\n");
    shell(&sandbox, "git config core.autocrlf input && git add src/a.txt");
    let why = "the lines of `src/a.txt` end in another way here: a setting of this clone converts them\n  help: `git config \
               core.autocrlf false`, then `rm src/a.txt` and `git checkout -- src/a.txt`";
    refused(&sandbox, why);
    shell(&sandbox, "git config core.autocrlf false && rm src/a.txt && git checkout -- src/a.txt");
    released(&sandbox);
    // What the commit itself says of line ends holds for everybody; what a clone adds to it does not.
    sandbox.file("src/.gitattributes", "*.txt text eol=crlf\n").file("src/a.txt", "other code\r\n");
    push(&sandbox);
    released(&sandbox);
    sandbox.file(".git/info/attributes", "src/b.txt text eol=crlf\n").file("src/b.txt", "b\r\n");
    sandbox.file("src/.gitattributes", "");
    push(&sandbox);
    refused(&sandbox, "the lines of `src/");
}

#[test]
fn a_pointer_of_git_lfs_pins_the_bytes() {
    let sandbox = pushed();
    let pointer = "version https://git-lfs.github.com/spec/v1\n\
                   oid sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03\nsize 6\n";
    sandbox.file("pointer", pointer).file(".gitattributes", "src/*.bin filter=lfs -text\n");
    shell(&sandbox, "git config filter.lfs.clean 'cat > /dev/null; cat pointer'");
    sandbox.file("src/w.bin", "hello\n");
    push(&sandbox);
    released(&sandbox);
    sandbox.file("src/w.bin", "other\n");
    refused(&sandbox, "`src/w.bin` has other bytes here");
    // A checkout without Git LFS has the pointer, and so has the commit.
    shell(&sandbox, "git config --unset filter.lfs.clean && cp pointer src/w.bin && git add src/w.bin");
    released(&sandbox);
}

#[test]
fn what_one_clone_puts_in_the_place_of_a_commit_others_do_not_have() {
    let sandbox = pushed();
    shell(&sandbox, "git checkout -q -b topic && git commit -q --allow-empty -m mine");
    let why = "`--release` needs a commit of a branch that `on push` names: `main`";
    refused(&sandbox, why);
    shell(&sandbox, "git replace --graft origin/main HEAD");
    refused(&sandbox, why);
    shell(&sandbox, "git replace -d $(git rev-parse origin/main)");
    shell(&sandbox, r#"echo "$(git rev-parse origin/main) $(git rev-parse HEAD)" > .git/info/grafts"#);
    refused(&sandbox, why);
    shell(&sandbox, "rm .git/info/grafts");
    // Nor other bytes in the place of a file's.
    shell(
        &sandbox,
        "git checkout -q main && git replace $(git rev-parse HEAD:src/a.txt) $(git rev-parse HEAD:alt/z.txt)",
    );
    shell(&sandbox, "rm src/a.txt && git checkout -- src/a.txt && grep -q high src/a.txt");
    let ended = release(&sandbox);
    assert!(ended.code == 2 && ended.stderr.contains("`src/a.txt` is not committed"), "{ended:?}");
}

#[test]
fn code_that_a_sparse_checkout_left_out_is_missed() {
    let sandbox = pushed();
    shell(&sandbox, "git sparse-checkout set --no-cone '/*' '!/alt'");
    released(&sandbox);
    sandbox.file("src/more/b.txt", "more\n");
    push(&sandbox);
    shell(&sandbox, "git sparse-checkout set --no-cone '/*' '!/src/more'");
    refused(&sandbox, "`src/more/b.txt` is not here\n  help: `git sparse-checkout disable`");
}

/// Which files are code is said by ignore files, and those of the commit alone are everybody's.
#[test]
fn code_that_this_clone_alone_ignores_is_missed() {
    let sandbox = pushed();
    sandbox
        .file("src/b.txt", "safety\n")
        .file("src/kept.txt", "kept\n")
        .file(".gitignore", "out/\n.mlpc/\nsrc/kept.txt\n");
    shell(&sandbox, "git add -f src/kept.txt && ln -s ../alt src/folder");
    push(&sandbox);
    released(&sandbox);
    sandbox.file("src/.gitignore", "b.txt\n");
    shell(&sandbox, "echo src/.gitignore > .git/info/exclude");
    refused(&sandbox, "`src/b.txt` is left out here by an ignore file that the commit has not");
    shell(&sandbox, "rm src/.gitignore && echo b.txt > ../.gitignore");
    refused(&sandbox, "`src/b.txt` is left out here by an ignore file that the commit has not");
    shell(&sandbox, "rm ../.gitignore");
    released(&sandbox);
}

#[test]
fn names_that_git_quotes_are_asked_for_as_they_are() {
    let sandbox = pushed();
    for name in ["src/\"q\".txt", "src/two\nlines.txt", "src/ä b.txt", "src/back\\slash.txt"] {
        sandbox.file(name, name);
    }
    sandbox.file("p.mlp", &PIPELINE.replace("cat src/*.txt", "cat src/a.txt"));
    push(&sandbox);
    released(&sandbox);
}

#[test]
fn a_module_of_constants_alone_is_read_too() {
    let sandbox = pushed();
    sandbox
        .file("lib/c.mlp", "const floor = 3\n")
        .file("fraud/lib/c.mlp", "const floor = 3\n")
        .file("fraud/src/a.txt", "code\n");
    let with = |path: &str| {
        let head = format!("edition 2026\nuse \"{path}\" {{ floor }}\nparam n: int = floor");
        PIPELINE.replace("edition 2026", &head).replace("  code", "  use n\n  code")
    };
    sandbox.file("p.mlp", &with("lib/c.mlp")).file("fraud/q.mlp", &with("lib/c.mlp"));
    shell(&sandbox, "echo lib/ > .git/info/exclude");
    push(&sandbox);
    refused(&sandbox, "needs a clean tree, and `lib/c.mlp` is not committed");
    for line in
        ["mlpc run --release -f fraud/q.mlp", "cd fraud && mlpc run --release", "mlpc run --release -f ./fraud/q.mlp"]
    {
        let ended = sandbox.shell(line);
        assert!(ended.code == 2 && ended.stderr.contains("lib/c.mlp` is not committed"), "{line}: {ended:?}");
    }
    shell(&sandbox, "rm .git/info/exclude");
    push(&sandbox);
    released(&sandbox);
    let beside = sandbox.shell("cd fraud && mlpc run --release");
    assert_eq!(beside.code, 0, "{beside:?}");
}

#[test]
fn the_remote_says_what_it_has_now() {
    let sandbox = pushed();
    let why = "`--release` needs a commit that others have, and `main` of `origin` is without this one\n  help: `git push origin main`";
    shell(&sandbox, "git commit -q --allow-empty -m dropped && git push -q origin main");
    shell(&sandbox, "git -C ../remote.git update-ref refs/heads/main main~1");
    refused(&sandbox, why);
    shell(&sandbox, "git push -q origin main");
    released(&sandbox);
    // Others went on from this commit; nothing of this clone moves for that.
    let pushes =
        "git clone -q ../remote.git ../other && cd ../other && git commit -q --allow-empty -m theirs && git push -q";
    shell(&sandbox, &format!("({pushes} origin main)"));
    sandbox.file("../before", &sandbox.shell("git for-each-ref").stdout);
    released(&sandbox);
    shell(&sandbox, "git for-each-ref | diff - ../before && test ! -e .git/FETCH_HEAD");
}

#[test]
fn a_fork_of_ones_own_does_not_vouch_for_a_commit() {
    let sandbox = pushed();
    sandbox.file("p.mlp", &PIPELINE.replace("git(\"models\")", "git(\"models\", remote: \"../remote.git\")"));
    push(&sandbox);
    shell(&sandbox, "git init -q --bare -b main ../alice.git && git remote add alice ../alice.git");
    shell(&sandbox, "git commit -q --allow-empty -m mine && git push -q alice main");
    refused(&sandbox, "needs a commit that others have, and `main` of `origin` is without this one");
    shell(&sandbox, "git remote rename origin theirs");
    refused(&sandbox, "and none of the remotes `alice`, `theirs` is `origin`\n  help: `git remote rename NAME origin`");
    shell(&sandbox, "git remote remove theirs");
    released(&sandbox);
}
