//! How the plugin's program is linked: on Linux it needs nothing of the machine that it runs on,
//! not even a C library.
//!
//! `-C target-feature=+crt-static` says so for all that is built, and the compiler then refuses
//! procedural macros. So the linker alone is told here: the libraries that it is asked for by name
//! it finds first in a folder of ours, as words that send it to the static ones.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

/// What the compiler and the crates ask for by name, and the file that has it.
const LIBRARIES: [(&str, &str); 7] = [
    ("gcc_s", "libgcc_eh.a"),
    ("c", "libc.a"),
    ("m", "libm.a"),
    ("dl", "libdl.a"),
    ("pthread", "libpthread.a"),
    ("rt", "librt.a"),
    ("util", "libutil.a"),
];

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=RUSTC_LINKER");
    let target = |what: &str| env::var(format!("CARGO_CFG_TARGET_{what}")).unwrap_or_default();
    if target("OS") != "linux" || target("ENV") != "gnu" {
        return Ok(());
    }
    // At a fixed address there are no ten thousand pointers to correct at each start. A save waits
    // for that start: it is a seventh of it.
    argument("-no-pie");
    if target("FEATURE").split(',').any(|it| it == "crt-static") {
        argument("-static");
    } else if let Some(files) = static_libraries() {
        let folder = env::var_os("OUT_DIR")
            .map(PathBuf::from)
            .unwrap_or_default();
        for ((name, _), file) in LIBRARIES.iter().zip(files) {
            let script = format!("INPUT(\"{}\")\n", file.display());
            fs::write(folder.join(format!("lib{name}.a")), script)?;
        }
        argument(&format!("-L{}", folder.display()));
        argument("-static");
    } else {
        println!(
            "cargo::warning=the program will need this machine's C library: no static one is installed (glibc-static)"
        );
    }
    Ok(())
}

fn argument(it: &str) {
    println!("cargo::rustc-link-arg-bins={it}");
}

/// Where they are; `None` unless all are there.
fn static_libraries() -> Option<Vec<PathBuf>> {
    let linker = env::var_os("RUSTC_LINKER").unwrap_or("cc".into());
    let find = |file: &str| {
        let mut linker = Command::new(&linker);
        let said = linker
            .arg(format!("-print-file-name={file}"))
            .output()
            .ok()?;
        let path = String::from_utf8(said.stdout).ok()?;
        // One that it does not find, it repeats.
        let path = Path::new(path.trim());
        path.is_absolute().then(|| path.to_owned())
    };
    LIBRARIES.iter().map(|(_, file)| find(file)).collect()
}
