//! The file among others: who may open it, who may read it, and what lies beside it.

use super::*;

#[test]
fn one_owner_at_a_time() {
    let place = Place::new();
    let store = FileStore::open(place.path()).unwrap();
    let refused = FileStore::open(place.path()).unwrap_err();
    assert!(matches!(refused, StoreError::InUse { .. }));
    assert!(refused.to_string().contains("in use by another breaker"));
    drop(store);
    FileStore::open(place.path()).unwrap();
}

#[test]
fn a_missing_folder_is_an_error_with_a_way_out() {
    let error = FileStore::open(Path::new("/nowhere/at/all.json")).unwrap_err();
    assert!(
        error.to_string().contains("check that the folder exists"),
        "{error}"
    );
    assert!(SharedFileStore::open("/nowhere/at/all.json").is_err());
}

#[cfg(unix)]
#[test]
fn only_its_owner_may_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    trip(&place.owned(Rules::default()));
    for name in ["circuit_breaker.json", "circuit_breaker.json.lock"] {
        let mode = fs::metadata(place.folder.path().join(name))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn nothing_is_left_beside_the_document() {
    let place = Place::new();
    trip(&place.owned(Rules::default()));
    let mut names: Vec<_> = place
        .folder
        .path()
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["circuit_breaker.json", "circuit_breaker.json.lock"]);
}
