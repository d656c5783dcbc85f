use std::io::Write;

use super::*;

fn file(folder: &Path, content: &[u8]) -> PathBuf {
    let path = folder.join("x.jsonl");
    fs::write(&path, content).unwrap();
    path
}

fn read_backwards(content: &[u8]) -> Vec<Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    let file = open(&file(folder.path(), content)).unwrap();
    backwards(&file).unwrap().collect::<Result<_, _>>().unwrap()
}

#[test]
fn lines_come_from_the_last_to_the_first_however_long_they_are() {
    let chunk = usize::try_from(CHUNK_BYTES).unwrap();
    for longest in [3, chunk - 1, chunk, chunk + 1, 2 * chunk, 3 * chunk + 7] {
        let lines = [1, longest, 0, 2, longest, 5].map(|bytes| vec![b'x'; bytes]);
        let whole = lines.join(&b'\n');
        let mut expected: Vec<Vec<u8>> = lines.to_vec();
        expected.reverse();
        assert_eq!(read_backwards(&whole), expected, "{longest}");
        // An empty line after the last newline says nothing to anybody.
        expected.insert(0, Vec::new());
        assert_eq!(
            read_backwards(&[&whole[..], b"\n"].concat()),
            expected,
            "{longest}"
        );
    }
    assert!(read_backwards(b"").is_empty());
}

#[test]
fn half_a_line_at_the_end_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    for (content, torn) in [("", false), ("{}\n", false), ("{}\n{", true), ("{}", true)] {
        let file = open(&file(folder.path(), content.as_bytes())).unwrap();
        assert_eq!(is_torn(&file).unwrap(), torn, "{content:?}");
    }
}

#[test]
fn no_more_than_the_end_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), b"{}\n");
    let mut file = open_to_append(&path).unwrap();
    // A hole: it takes no room on the disk.
    file.set_len(TAIL_BYTES_MAX + 1000).unwrap();
    file.write_all(b"\nlast\n").unwrap();
    let lines: Vec<_> = backwards(&file).unwrap().collect();
    assert_eq!(lines[1].as_ref().unwrap(), b"last");
    let error = lines[2].as_ref().unwrap_err();
    assert_eq!(error.to_string(), "its last 64 MiB do not tell enough");
    assert_eq!(lines.len(), 3);
}

#[test]
fn what_leads_elsewhere_is_not_opened() {
    let folder = tempfile::tempdir().unwrap();
    let own = file(folder.path(), b"{}\n");
    let [link, name, pipe, directory] =
        ["link", "name", "pipe", "directory"].map(|name| folder.path().join(name));
    std::os::unix::fs::symlink(&own, &link).unwrap();
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    fs::create_dir(&directory).unwrap();
    for path in [&link, &pipe, &directory] {
        assert!(open_to_append(path).is_err(), "{}", path.display());
    }
    assert!(open(&pipe).is_err(), "and it does not wait for a writer");
    assert!(open_to_append(&own).is_ok());
    fs::hard_link(&own, &name).unwrap();
    assert!(
        open_to_append(&own).is_err(),
        "it is known by another name as well"
    );
}
