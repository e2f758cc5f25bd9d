//! NULL in every pointer argument of every function: never a crash, and `P2PMAP_INVALID_ARGUMENT` where something is needed.
//!
//! The program is made from the header's declarations, so a new function is tested when it is declared.

mod toolchain;

use std::fmt::Write;
use std::fs;
use std::process::Command;

use toolchain::{crate_path, directory, program, run};

/// Arguments that may be NULL, wherever they appear.
const OPTIONAL: &[&str] = &["error", "options", "stamp", "last", "removed", "count", "peer", "who", "user_data", "destroy"];
/// Types of arguments that may not be NULL although another of that name may.
const NEEDED: &[&str] = &["p2pmap_map_options *", "const p2pmap_stamp *"];

struct Parameter {
    /// As declared, up to the name.
    kind: String,
    name: String,
}

struct Function {
    returns_status: bool,
    name: String,
    parameters: Vec<Parameter>,
}

#[test]
fn null_is_an_invalid_argument_and_never_a_crash() {
    let header = fs::read_to_string(crate_path("../include/p2pmap.h")).unwrap();
    let functions = functions(&header);
    assert!(functions.len() > 60, "{} functions found", functions.len());
    let mut calls = String::new();
    for function in &functions {
        for (index, parameter) in function.parameters.iter().enumerate() {
            if is_pointer(parameter) {
                call(&mut calls, function, index);
            }
        }
    }
    let source = directory("null_source").join("null.c");
    fs::write(
        &source,
        format!(
            "#include \"{}\"\n{PREPARE}\nint main(void) {{\n  prepare();\n{calls}  puts(\"null: ok\");\n}}\n",
            crate_path("tests/c/check.h").display()
        ),
    )
    .unwrap();
    if let Some(program) = program("null", &[source]) {
        run(&mut Command::new(program));
    }
}

/// One call with NULL for one argument and sound ones elsewhere.
fn call(calls: &mut String, function: &Function, null: usize) {
    let frees = function.name.ends_with("_free") || function.name.ends_with("_release");
    let closes = function.name.ends_with("_close") || function.name.ends_with("_destroy");
    let parameter = &function.parameters[null];
    if closes && parameter.name == "error" {
        return;
    }
    let arguments: Vec<String> = function
        .parameters
        .iter()
        .enumerate()
        .map(|(index, parameter)| if index == null { "NULL".to_owned() } else { sound(parameter) })
        .collect();
    let call = format!("{}({})", function.name, arguments.join(", "));
    let opens = matches!(function.name.as_str(), "p2pmap_open" | "p2pmap_node_open") && parameter.name == "config";
    let optional = opens || OPTIONAL.contains(&parameter.name.as_str()) && !NEEDED.contains(&parameter.kind.as_str());
    let line = match () {
        () if frees => format!("  {call};"),
        () if function.returns_status && !optional => format!("  EXPECT(P2PMAP_INVALID_ARGUMENT, {call});"),
        () => format!("  (void){call};"),
    };
    writeln!(calls, "{line}").unwrap();
}

/// A sound argument of this type, as `PREPARE` declares them.
fn sound(parameter: &Parameter) -> String {
    let name = parameter.name.as_str();
    match (parameter.kind.trim_start_matches("const ").trim(), name) {
        ("void *", "user_data") => "NULL".into(),
        ("void *", _) => "buffer".into(),
        ("char *", "text") => "text".into(),
        // Nothing is there: no test writes beside its sources.
        ("char *", "path") => "\"/nowhere/p2pmap\"".into(),
        ("char *", _) => "\"listen\"".into(),
        ("size_t", "capacity") => "sizeof buffer".into(),
        ("size_t" | "uint64_t" | "p2pmap_status" | "p2pmap_event_kind", _) => "1".into(),
        ("p2pmap_error **", _) => "NULL".into(),
        ("p2pmap_destructor", _) => "destroy".into(),
        ("p2pmap_validator", _) => "validator".into(),
        ("p2pmap_events_callback", _) => "callback".into(),
        (kind, _) if kind.ends_with("**") => format!("&made_{}", kind.trim_end_matches(" **")),
        (kind, _) if kind.ends_with('*') => {
            let kind = kind.trim_end_matches(" *");
            if HANDLES.contains(&kind) { format!("a_{kind}") } else { format!("&a_{kind}") }
        }
        (kind, _) => panic!("no argument for `{kind} {name}`"),
    }
}

fn is_pointer(parameter: &Parameter) -> bool {
    parameter.kind.ends_with('*')
        || ["p2pmap_destructor", "p2pmap_validator", "p2pmap_events_callback"].contains(&parameter.kind.as_str())
}

fn functions(header: &str) -> Vec<Function> {
    let code: Vec<&str> = header.lines().filter(|line| !line.trim_start().starts_with(['/', '#'])).collect();
    code.join(" ").split(';').filter_map(function).collect()
}

fn function(declaration: &str) -> Option<Function> {
    let declaration = declaration.split('}').next_back()?.trim().trim_start_matches("extern \"C\" {").trim();
    let (head, parameters) = declaration.strip_suffix(')')?.split_once('(')?;
    let name = head.rsplit([' ', '*']).next()?.to_owned();
    if declaration.starts_with("typedef") || !name.starts_with("p2pmap_") {
        return None;
    }
    let parameters =
        parameters.split(',').map(|text| text.split_whitespace().collect::<Vec<_>>().join(" ")).filter(|text| text != "void");
    let parameters = parameters.map(|text| {
        let name = text.rsplit([' ', '*']).next().unwrap_or_default().to_owned();
        Parameter { kind: text[..text.len() - name.len()].trim().to_owned(), name }
    });
    Some(Function { returns_status: head.starts_with("p2pmap_status "), name, parameters: parameters.collect() })
}

const HANDLES: &[&str] = &[
    "p2pmap_config",
    "p2pmap_node",
    "p2pmap_map_options",
    "p2pmap_map",
    "p2pmap_batch",
    "p2pmap_scan",
    "p2pmap_subscription",
    "p2pmap_watch",
];

/// Declares a sound argument of every type.
const PREPARE: &str = r#"
static char buffer[256], text[256] = "12D3KooW";
static p2pmap_config *a_p2pmap_config;
static p2pmap_node *a_p2pmap_node, *made_p2pmap_node;
static p2pmap_map_options *a_p2pmap_map_options;
static p2pmap_map *a_p2pmap_map, *made_p2pmap_map;
static p2pmap_batch *a_p2pmap_batch;
static p2pmap_scan *a_p2pmap_scan, *made_p2pmap_scan;
static p2pmap_subscription *a_p2pmap_subscription, *made_p2pmap_subscription;
static p2pmap_watch *a_p2pmap_watch, *made_p2pmap_watch;
static p2pmap_bytes a_p2pmap_bytes;
static p2pmap_view a_p2pmap_view;
static p2pmap_peer_id a_p2pmap_peer_id = {.len = 1};
static p2pmap_stamp a_p2pmap_stamp;
static p2pmap_digest a_p2pmap_digest;
static p2pmap_option a_p2pmap_option;
static p2pmap_string_list a_p2pmap_string_list;
static p2pmap_peer_list a_p2pmap_peer_list;
static p2pmap_map_peer_list a_p2pmap_map_peer_list;
static p2pmap_event_list a_p2pmap_event_list;
static p2pmap_entry a_p2pmap_entry;
static p2pmap_node_report a_p2pmap_node_report = {.struct_size = sizeof a_p2pmap_node_report};
static p2pmap_map_report a_p2pmap_map_report = {.struct_size = sizeof a_p2pmap_map_report};
static p2pmap_scan_options a_p2pmap_scan_options = {.struct_size = sizeof a_p2pmap_scan_options};
static p2pmap_subscribe_options a_p2pmap_subscribe_options = {.struct_size = sizeof a_p2pmap_subscribe_options};
static size_t a_size_t;
static uint64_t a_uint64_t;
static bool a_bool;
static int a_int;

static void destroy(void *user_data) { (void)user_data; }
static bool validator(const uint8_t *key, size_t key_len, const uint8_t *value, size_t value_len, void *user_data) {
  (void)key, (void)key_len, (void)value, (void)value_len, (void)user_data;
  return true;
}
static void callback(const p2pmap_event *events, size_t count, void *user_data) {
  (void)events, (void)count, (void)user_data;
}

static void prepare(void) {
  a_p2pmap_config = p2pmap_config_new();
  a_p2pmap_map_options = p2pmap_map_options_new();
  a_p2pmap_batch = p2pmap_batch_new();
  OK(p2pmap_node_open(NULL, &a_p2pmap_node, NULL));
  OK(p2pmap_map_open(a_p2pmap_node, "null", NULL, &a_p2pmap_map, NULL));
  OK(p2pmap_map_scan(a_p2pmap_map, NULL, &a_p2pmap_scan, NULL));
  OK(p2pmap_map_subscribe(a_p2pmap_map, NULL, callback, NULL, NULL, &a_p2pmap_subscription, NULL));
  OK(p2pmap_map_watch(a_p2pmap_map, NULL, &a_p2pmap_watch, NULL));
}
"#;
