//! Is a file on a network file system? SQLite's shared memory works between processes of one host
//! only (<https://www.sqlite.org/wal.html>, "all processes using a database must be on the same
//! host computer").

use std::path::Path;

/// Kinds, as `mount` names them, whose files other hosts can change.
const NETWORK: &str = "nfs nfs3 nfs4 cifs smb smb2 smb3 smbfs afpfs webdav davfs afs ceph fuse.ceph \
     glusterfs fuse.glusterfs fuse.sshfs lustre fuse.rclone";

/// The kind of network file system that holds this absolute path, when that can be told: from the
/// mount table on Linux and macOS, from the path on Windows (where a mapped drive's true name is
/// `\\?\UNC\…`).
pub(crate) fn kind(path: &Path) -> Option<String> {
    if cfg!(windows) {
        return path
            .to_str()
            .filter(|path| is_unc(path))
            .map(|_| "UNC".into());
    }
    let mounts = if cfg!(target_os = "linux") {
        linux(&std::fs::read_to_string("/proc/self/mountinfo").ok()?)
    } else {
        let mount = std::process::Command::new("/sbin/mount").output().ok()?;
        bsd(&String::from_utf8_lossy(&mount.stdout))
    };
    kind_in(&mounts, path)
}

/// A mount point and its kind.
type Mount = (String, String);

/// The innermost mount decides; of several on one point, the last.
fn kind_in(mounts: &[Mount], path: &Path) -> Option<String> {
    let holds = |(point, _): &&Mount| path.starts_with(point);
    let (_, kind) = mounts
        .iter()
        .filter(holds)
        .max_by_key(|(point, _)| point.len())?;
    NETWORK
        .split(' ')
        .any(|network| network == kind)
        .then(|| kind.clone())
}

fn is_unc(path: &str) -> bool {
    path.strip_prefix(r"\\").is_some_and(|rest| {
        rest.strip_prefix(r"?\")
            .is_none_or(|rest| rest.starts_with(r"UNC\"))
    })
}

/// Lines of `/proc/self/mountinfo`: the fifth field is the point, the kind comes after a lone dash
/// (<https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html>).
fn linux(table: &str) -> Vec<Mount> {
    let mount = |line: &str| {
        let (left, right) = line.split_once(" - ")?;
        Some((
            unescape(left.split(' ').nth(4)?),
            right.split(' ').next()?.to_owned(),
        ))
    };
    table.lines().filter_map(mount).collect()
}

/// Lines of BSD's `mount`: `//host/share on /Volumes/share (smbfs, nodev)`.
fn bsd(table: &str) -> Vec<Mount> {
    let mount = |line: &str| {
        let (rest, flags) = line.rsplit_once(" (")?;
        Some((
            rest.split_once(" on ")?.1.to_owned(),
            flags.split([',', ')']).next()?.to_owned(),
        ))
    };
    table.lines().filter_map(mount).collect()
}

/// Undoes the kernel's octal escapes of space, tab, newline and backslash.
fn unescape(point: &str) -> String {
    point
        .replace("\\040", " ")
        .replace("\\011", "\t")
        .replace("\\012", "\n")
        .replace("\\134", "\\")
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTINFO: &str = "\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
40 22 0:38 / /mnt/my\\040nas rw,relatime shared:20 master:3 - nfs4 nas:/export rw,vers=4.2
41 40 8:1 / /mnt/my\\040nas/local rw - xfs /dev/sdb1 rw";

    #[test]
    fn the_innermost_mount_decides() {
        let mounts = linux(MOUNTINFO);
        assert_eq!(
            kind_in(&mounts, Path::new("/mnt/my nas/q.db")).as_deref(),
            Some("nfs4")
        );
        assert_eq!(kind_in(&mounts, Path::new("/mnt/my nas/local/q.db")), None);
        assert_eq!(kind_in(&mounts, Path::new("/mnt/my nasty/q.db")), None);
        assert_eq!(kind_in(&mounts, Path::new("/var/q.db")), None);
    }

    #[test]
    fn the_last_mount_on_a_point_decides() {
        let twice = linux("1 0 8:1 / /d rw - ext4 a rw\n2 1 0:1 / /d rw - cifs b rw");
        assert_eq!(
            kind_in(&twice, Path::new("/d/q.db")).as_deref(),
            Some("cifs")
        );
    }

    #[test]
    fn bsd_mounts_are_read() {
        let table = "/dev/disk3s1 on / (apfs, sealed, local)\n//me@nas/share on /Volumes/my share (smbfs, nodev, mounted by me)";
        assert_eq!(
            kind_in(&bsd(table), Path::new("/Volumes/my share/q.db")).as_deref(),
            Some("smbfs")
        );
        assert_eq!(kind_in(&bsd(table), Path::new("/Users/me/q.db")), None);
    }

    #[test]
    fn windows_shares_are_told_from_drives() {
        assert!(is_unc(r"\\nas\share\q.db") && is_unc(r"\\?\UNC\nas\share\q.db"));
        assert!(!is_unc(r"\\?\C:\q.db") && !is_unc(r"C:\q.db"));
    }

    #[test]
    fn this_machines_mount_table_is_read() {
        if cfg!(target_os = "linux") {
            assert!(
                linux(&std::fs::read_to_string("/proc/self/mountinfo").unwrap())
                    .iter()
                    .any(|(point, _)| point == "/")
            );
        }
    }
}
