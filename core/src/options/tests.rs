use super::*;

fn refusal(result: Result<&mut Config>) -> String {
    let error = result.map(|_| ()).expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::InvalidConfig);
    error.message().to_owned()
}

#[test]
fn every_option_takes_its_own_default() {
    for option in Config::options() {
        Config::new().set(option.name, option.default).unwrap_or_else(|error| panic!("{}: {error}", option.name));
    }
}

#[test]
fn the_table_and_the_parsed_defaults_agree() {
    let mut config = Config::new();
    for option in Config::options().iter().filter(|option| !option.default.is_empty()) {
        config.set(option.name, option.default).unwrap();
    }
    let untouched = Config::new();
    assert_eq!(config.node.map_defaults.settings().unwrap(), MapSettings::default());
    config.node.map_defaults = MapOptions::default();
    assert_eq!(format!("{:?}", config.node), format!("{:?}", untouched.node));
}

#[test]
fn an_unknown_option_is_named_with_those_there_are() {
    let message = refusal(Config::new().set("bootstrop", "x"));
    assert!(message.contains("bootstrop") && message.contains("bootstrap"), "{message}");
}

#[test]
fn a_bad_value_is_named_with_what_is_allowed() {
    for (name, value) in
        [("target_peers", "0"), ("insecure", "yes"), ("listen", "nowhere"), ("validator", "xml"), ("max_key_bytes", "-1")]
    {
        let message = refusal(Config::new().set(name, value));
        assert!(message.contains(name) && message.contains("allowed"), "{message}");
    }
}

#[test]
fn host_and_port_are_short_for_multiaddrs() {
    let mut config = Config::new();
    config.set("listen", "127.0.0.1:7400, [::1]:7401").unwrap();
    config.set("bootstrap", "seed.example:7400,10.0.0.1:1").unwrap();
    assert_eq!(config.node.listen[..2], ["/ip4/127.0.0.1/tcp/7400", "/ip4/127.0.0.1/udp/7400/quic-v1"]);
    assert_eq!(config.node.listen[2], "/ip6/::1/tcp/7401");
    assert_eq!(config.node.bootstrap, ["/dns/seed.example/tcp/7400", "/ip4/10.0.0.1/tcp/1"]);
}

#[test]
fn listening_beyond_loopback_needs_a_word() {
    let mut config = Config::new();
    config.set("listen", "0.0.0.0:7400").unwrap();
    let error = check_node(&config.node).unwrap_err();
    assert!(error.message().contains("insecure=true"), "{error}");
    config.set("insecure", "true").unwrap();
    check_node(&config.node).unwrap();
}

#[test]
fn a_document_sets_options_and_declares_maps() {
    let mut config = Config::new();
    config
        .set_toml("bootstrap = ['a:1', 'b:2']\nmax_value_bytes = 10\n[maps.flags]\nvalidator = 'json'\n[maps.'a.b']\n")
        .unwrap();
    assert_eq!(config.node.bootstrap.len(), 2);
    assert_eq!(config.node.declared.keys().collect::<Vec<_>>(), ["a.b", "flags"]);
    let flags = config.node.declared["flags"].over(&config.node.map_defaults).settings().unwrap();
    assert_eq!((flags.max_value_bytes, flags.validators.refuse(b"", b"{").is_some()), (10, true));
}

#[test]
fn a_document_with_a_mistake_changes_nothing() {
    let mut config = Config::new();
    refusal(config.set_toml("cluster_id = 'x'\ntarget_peers = 'many'"));
    assert_eq!(config.node.cluster_id, "default");
}

#[test]
fn a_panicking_validator_says_no() {
    let mut options = MapOptions::new();
    options.validator(std::sync::Arc::new(|_, _| panic!("no")));
    assert!(options.settings().unwrap().validators.refuse(b"k", b"v").is_some());
}

#[test]
fn of_a_list_of_maps_none_is_declared_where_one_is_refused() {
    let mut config = Config::new();
    let long = "x".repeat(256);
    assert!(config.set("maps", &format!("a,{long}")).is_err());
    assert!(config.node.declared.is_empty());
    config.set("maps", "a,b").unwrap();
    assert_eq!(config.node.declared.len(), 2);
}

#[test]
fn the_readme_shows_the_table() {
    let mut table = String::from("| option | of | default | allowed | what it is |\n|---|---|---|---|---|\n");
    for OptionInfo { name, of_map, default, allowed, about } in Config::options() {
        let of = if *of_map { "map" } else { "node" };
        table += &format!("| `{name}` | {of} | {default} | {allowed} | {about} |\n");
    }
    let readme = include_str!("../../../README.md");
    assert!(readme.contains(&table), "README.md, section Options, should read:\n\n{table}");
}

const SECRET: &str = "8f14e45fceea167a5a36dedd4bea2543c9f0f895fb98ab9159f51fd0297e236d";
const OTHER: &str = "45c48cce2e2d7fbdea1afc51c7c6ad26d3d9446802a44259755d38e6d163e820";

#[test]
fn secrets_come_as_text_or_from_a_file_that_nobody_else_may_read() {
    let dir = std::env::temp_dir().join(format!("p2pmap-secret-{}", std::process::id()));
    let file = dir.join("secret");
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::write(&file, format!("{SECRET}\n{OTHER}\n")).unwrap();
    let from_file = format!("file:{}", file.display());
    let mode = |mode| std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
    mode(0o640);
    let message = refusal(Config::new().set("cluster_secret", &from_file));
    assert!(message.contains("chmod 600"), "{message}");
    mode(0o600);
    let (mut read, mut said) = (Config::new(), Config::new());
    read.set("cluster_secret", &from_file).unwrap();
    said.set("cluster_secret", &format!("{SECRET}, {OTHER}")).unwrap();
    assert!(read.node.secrets == said.node.secrets && said.node.secrets.len() == 2);
    std::fs::remove_dir_all(&dir).unwrap();
    assert!(refusal(Config::new().set("cluster_secret", &from_file)).contains("cannot be read"));
    assert!(refusal(Config::new().set("cluster_secret", "env:P2PMAP_NOT_SET")).contains("P2PMAP_NOT_SET"));
}

#[test]
fn no_secret_is_shown() {
    let mut config = Config::new();
    config.set("cluster_secret", SECRET).unwrap();
    assert!(!format!("{config:?}").contains(&SECRET[..8]));
    for bad in [&SECRET[..63], &[SECRET; 5].join(",")] {
        let message = refusal(config.set("cluster_secret", bad));
        assert!(!message.contains(&SECRET[..8]), "{message}");
    }
}

#[test]
fn a_secret_or_a_list_of_peers_allows_to_listen_widely() {
    for (option, value) in [("cluster_secret", SECRET), ("allow_peers", "12D3KooWGzBqXkyYCYT8hRVQbCFDbWvSQBoRpqrTbjBBeqGLQW2u")]
    {
        let mut config = Config::new();
        config.set("listen", "0.0.0.0:7400").unwrap();
        let error = check_node(&config.node).unwrap_err();
        assert!(error.message().contains(option), "{error}");
        config.set(option, value).unwrap();
        check_node(&config.node).unwrap();
    }
    assert!(refusal(Config::new().set("allow_peers", "0OIl")).contains("allow_peers"));
}
