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
fn the_readme_shows_the_table() {
    let mut table = String::from("| option | of | default | allowed | what it is |\n|---|---|---|---|---|\n");
    for OptionInfo { name, of_map, default, allowed, about } in Config::options() {
        let of = if *of_map { "map" } else { "node" };
        table += &format!("| `{name}` | {of} | {default} | {allowed} | {about} |\n");
    }
    let readme = include_str!("../../../README.md");
    assert!(readme.contains(&table), "README.md, section Options, should read:\n\n{table}");
}
