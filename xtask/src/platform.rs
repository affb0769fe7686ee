use crate::Error;

/// A kind of machine that has a package of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Platform {
    system: &'static str,
    processor: &'static str,
    /// Whom it is for, as a person knows the machine.
    whom: &'static str,
}

/// All of them, in the order in which they stand in the index.
pub const PLATFORMS: [Platform; 6] = [
    Platform::new("linux", "x86_64", "Linux Intel/AMD, Docker too"),
    Platform::new("linux", "aarch64", "Linux ARM 64-bit, Docker too"),
    Platform::new("linux", "armv7", "Linux ARM 32-bit, Docker too"),
    Platform::new("macos", "aarch64", "macOS Apple silicon"),
    Platform::new("macos", "x86_64", "macOS Intel"),
    Platform::new("windows", "x86_64", "Windows"),
];

impl Platform {
    const fn new(system: &'static str, processor: &'static str, whom: &'static str) -> Self {
        Self {
            system,
            processor,
            whom,
        }
    }

    /// The one that a target of the compiler is built for, `x86_64-unknown-linux-gnu` for instance.
    ///
    /// # Errors
    /// There is none.
    pub fn of_target(target: &str) -> Result<Self, Error> {
        let named = |platform: &Self| {
            let system = match platform.system {
                "macos" => "darwin",
                system => system,
            };
            let mut parts = target.split('-');
            parts.next() == Some(platform.processor) && parts.any(|part| part == system)
        };
        let found = PLATFORMS.into_iter().find(named);
        found.ok_or_else(|| Error::Platform(target.to_owned()))
    }

    /// What Stash calls the package, and the folder that it installs it into. Not the plugin's own
    /// id, under which its settings are kept: that is the manifest's name, the same in every
    /// package.
    pub fn package_id(self) -> String {
        format!("Stash2Plex-{}-{}", self.system, self.processor)
    }

    pub(crate) fn of_package(id: &str) -> Result<Self, Error> {
        let found = PLATFORMS.into_iter().find(|it| it.package_id() == id);
        found.ok_or_else(|| Error::Platform(id.to_owned()))
    }

    pub(crate) fn name(self) -> String {
        format!("Stash2Plex ({})", self.whom)
    }

    /// The program's file name there.
    pub fn program(self) -> &'static str {
        match self.system {
            "windows" => "stash2plex.exe",
            _ => "stash2plex",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_of_the_release_has_a_package() {
        for (target, package) in [
            ("x86_64-unknown-linux-gnu", "Stash2Plex-linux-x86_64"),
            ("aarch64-unknown-linux-musl", "Stash2Plex-linux-aarch64"),
            ("armv7-unknown-linux-musleabihf", "Stash2Plex-linux-armv7"),
            ("aarch64-apple-darwin", "Stash2Plex-macos-aarch64"),
            ("x86_64-apple-darwin", "Stash2Plex-macos-x86_64"),
            ("x86_64-pc-windows-msvc", "Stash2Plex-windows-x86_64"),
        ] {
            let platform = Platform::of_target(target).unwrap();
            assert_eq!(platform.package_id(), package);
            assert_eq!(Platform::of_package(package).unwrap(), platform);
        }
        assert!(Platform::of_target("riscv64gc-unknown-linux-gnu").is_err());
    }
}
