//! Writers that write as fast as the disk lets them, and note outside of p2pmap what was acknowledged.
//!
//! Writer `w` counts 1, 2, 3, ... Write `n` goes to key `w/<n % KEYS>` with the value `n`; every fifth is a batch that writes `n` to
//! three keys of its own, every seventh removes or restores the key `w/gone`. After each that returned, `n` is the content of the
//! file `DIR/w`: it survives the process, which is all that is ended here.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::thread;

use p2pmap::{Batch, Error, ErrorKind, Map};

const KEYS: u64 = 20;

/// Starts that many writers, which go on from what their files say, until the process ends or a write fails.
pub fn start(map: &Map, directory: &str, writers: u64) -> Result<(), Error> {
    for writer in 0..writers {
        let path = Path::new(directory).join(writer.to_string());
        let acknowledged = std::fs::read_to_string(&path).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0);
        let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(|error| failed(&error))?;
        let map = map.clone();
        // One more was under way, perhaps.
        thread::spawn(move || {
            let mut count: u64 = acknowledged + 1;
            while let Ok(()) = write(&map, writer, count).and_then(|()| note(&file, count)) {
                count += 1;
            }
        });
    }
    Ok(())
}

fn write(map: &Map, writer: u64, count: u64) -> Result<(), Error> {
    let value = count.to_string();
    if count.is_multiple_of(5) {
        let mut batch = Batch::new();
        for part in 0..3 {
            batch.put(format!("{writer}/batch/{part}"), &value);
        }
        return map.apply(&batch).map(|_| ());
    }
    if count.is_multiple_of(7) {
        let key = format!("{writer}/gone");
        return match map.contains(&key)? {
            true => map.remove(&key).map(|_| ()),
            false => map.put(&key, &value).map(|_| ()),
        };
    }
    map.put(format!("{writer}/{}", count % KEYS), &value).map(|_| ())
}

fn note(file: &File, count: u64) -> Result<(), Error> {
    file.write_all_at(format!("{count:020}\n").as_bytes(), 0).map_err(|error| failed(&error))
}

fn failed(error: &std::io::Error) -> Error {
    Error::new(ErrorKind::Internal, error.to_string())
}
