//! A root that holds a program and what is put there, in namespaces of its own: the machine outside
//! sees none of it.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use tempfile::TempDir;

/// Set in the process within the namespaces: the folder that becomes the root.
const INSIDE: &str = "EMPTY_ROOT";

/// `.ci/run` says which program is to be tried.
const PROGRAM: &str = "STASH2PLEX_PROGRAM";

pub struct Root(PathBuf);

/// The root, in a run of this test within namespaces of its own; `None` where this is the run that
/// started it, or could not.
pub fn entered(test: &str) -> Option<Root> {
    if let Some(folder) = std::env::var_os(INSIDE) {
        return Some(Root::new(folder.into()).unwrap());
    }
    if !["unshare", "ip", "mount", "chroot"]
        .iter()
        .all(|tool| is_there(tool))
    {
        return None;
    }
    let namespaces = ["--user", "--map-root-user", "--mount", "--net"];
    let allowed = Command::new("unshare")
        .args(namespaces)
        .arg("true")
        .output();
    let said = allowed.unwrap();
    if !said.status.success() {
        let words = String::from_utf8_lossy(&said.stderr);
        println!("skipped: namespaces are not allowed here: {words}");
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let run = Command::new("unshare")
        .args(namespaces)
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(INSIDE, folder.path())
        .output()
        .unwrap();
    let said = [run.stdout, run.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    println!("{said}");
    assert!(run.status.success() && said.contains("1 passed"), "{said}");
    None
}

/// Whether this machine has it, which `.ci/run` sees to.
fn is_there(tool: &str) -> bool {
    let quiet = Command::new(tool)
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if quiet.is_err() {
        println!("skipped: {tool} is not installed");
        let on_ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
        assert!(!on_ci, "{tool} is not installed");
    }
    quiet.is_ok()
}

fn done(command: &mut Command) -> io::Result<()> {
    let run = command.output()?;
    if run.status.success() {
        return Ok(());
    }
    let words = String::from_utf8_lossy(&run.stderr);
    Err(io::Error::other(format!("{command:?}: {words}")))
}

impl Root {
    fn new(folder: PathBuf) -> io::Result<Self> {
        done(Command::new("ip").args(["link", "set", "lo", "up"]))?;
        // It goes with the namespace.
        done(
            Command::new("mount")
                .args(["-t", "tmpfs", "tmpfs"])
                .arg(&folder),
        )?;
        let root = Self(folder);
        let program = std::env::var_os(PROGRAM);
        let program = program.map_or_else(|| super::common::binary().to_owned(), PathBuf::from);
        fs::copy(program, root.0.join("stash2plex"))?;
        // What every container has.
        fs::create_dir(root.0.join("proc"))?;
        root.put("dev/null", "");
        for outside in ["/proc", "/dev/null"] {
            let mut mount = Command::new("mount");
            mount.args(["--rbind", outside]);
            done(mount.arg(root.within(Path::new(outside))))?;
        }
        // Paths mean the same within and without.
        let itself = root.within(&root.0);
        fs::create_dir_all(itself.parent().unwrap())?;
        symlink("/", itself)?;
        Ok(root)
    }

    fn within(&self, path: &Path) -> PathBuf {
        self.0.join(path.strip_prefix("/").unwrap())
    }

    pub fn put(&self, path: &str, text: &str) {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub fn folder(&self) -> TempDir {
        tempfile::tempdir_in(&self.0).unwrap()
    }

    pub fn program(&self) -> Command {
        self.command("/stash2plex")
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new("chroot");
        command.arg(&self.0).arg(program).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command
    }

    pub fn tell_size_and_start(&self) {
        let program = self.0.join("stash2plex");
        let mut taken: Vec<_> = (0..50)
            .map(|_| {
                let began = Instant::now();
                let version = Command::new(&program).arg("--version").output().unwrap();
                assert!(version.status.success());
                began.elapsed()
            })
            .collect();
        taken.sort();
        println!(
            "the program: {} KiB, --version in {:?} (median of {})",
            program.metadata().unwrap().len() / 1024,
            taken[taken.len() / 2],
            taken.len()
        );
    }

    /// A module for names that ends whoever loads it, as one of another C library may. That it does
    /// is tried with a small static program; `false`, with words, where neither can be built.
    pub fn plant_killer(&self) -> bool {
        if !is_there("cc") {
            return false;
        }
        let build = |source: &str, arguments: &[&str], name: &str| {
            let file = self.0.join("source.c");
            fs::write(&file, source).unwrap();
            let to = self.0.join(name);
            let mut cc = Command::new("cc");
            done(cc.args(arguments).arg("-o").arg(to).arg(file))
        };
        let killer = "__attribute__((constructor)) static void end(void) { __builtin_trap(); }";
        let module = "libnss_killer.so.2";
        let asks = "#include <netdb.h>
            int main(void) { struct addrinfo *found; return getaddrinfo(\"plex.test\", \"1\", 0, &found) != 0; }";
        let built = build(killer, &["-shared", "-fPIC", "-nostdlib"], module)
            .and_then(|()| build(asks, &["-static"], "asks"));
        if let Err(error) = built {
            println!("skipped: {error}");
            return false;
        }
        for folder in ["lib", "lib64", "usr/lib", "usr/lib64"] {
            self.put(&format!("{folder}/{module}"), "");
            fs::copy(self.0.join(module), self.0.join(folder).join(module)).unwrap();
        }
        self.put("etc/nsswitch.conf", "hosts: killer\n");
        let control = self.command("/asks").status().unwrap();
        assert!(
            control.signal().is_some(),
            "the module kills nobody: {control}"
        );
        true
    }
}

impl Drop for Root {
    /// Nobody stays behind when a test fails.
    fn drop(&mut self) {
        let program = self.0.join("stash2plex");
        for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
            if fs::read_link(entry.path().join("exe")).is_ok_and(|exe| exe == program) {
                let _ = Command::new("kill")
                    .arg("-9")
                    .arg(entry.file_name())
                    .status();
            }
        }
    }
}
