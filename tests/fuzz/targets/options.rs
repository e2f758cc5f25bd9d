//! Options as users write them: by name, or as TOML. What is refused has changed nothing.

use crate::options::check_node;
use crate::{Config, MapOptions};

pub fn options(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    // Those read what is not in the input.
    if text.contains("file:") || text.contains("env:") {
        return;
    }
    let mut config = Config::new();
    if let Some(lines) = text.strip_prefix('=') {
        for line in lines.lines() {
            let (name, value) = line.split_once('=').unwrap_or((line, ""));
            set(&mut config, |config| config.set(name, value).is_ok());
            let _ = MapOptions::new().set(name, value).map(|options| options.settings());
        }
    } else {
        set(&mut config, |config| config.set_toml(text).is_ok());
    }
    let _ = check_node(&config.node);
}

fn set(config: &mut Config, change: impl FnOnce(&mut Config) -> bool) {
    let before = format!("{config:?}");
    if !change(config) {
        assert_eq!(format!("{config:?}"), before, "what is refused changes nothing");
    }
}
