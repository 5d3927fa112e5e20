//! No input exhausts the stack, the memory or the patience of a node.

use crate::support::{GAS, decide, definitions, expression, feel, reasons};
use zhulian_rules::{Halt, Model, Profile, Reason};

fn halt(text: &str) -> Option<Halt> {
    decide(&expression(text), &[], GAS).err()
}

#[test]
fn endless_recursion_halts() {
    let source = definitions(
        r##"<businessKnowledgeModel id="f" name="f"><variable name="f"/><encapsulatedLogic><formalParameter name="n"/>
        <literalExpression><text>f(n + 1)</text></literalExpression></encapsulatedLogic>
        <knowledgeRequirement><requiredKnowledge href="#f"/></knowledgeRequirement></businessKnowledgeModel>
        <decision id="a" name="Answer"><variable name="Answer"/><knowledgeRequirement><requiredKnowledge href="#f"/></knowledgeRequirement>
        <literalExpression><text>f(1)</text></literalExpression></decision>"##,
    );
    assert_eq!(decide(&source, &[], u64::MAX).err(), Some(Halt::TooDeep));
    assert_eq!(halt("{f: function(g) g(g), r: f(f)}.r"), Some(Halt::TooDeep));
}

#[test]
fn endless_loops_run_out_of_gas() {
    assert_eq!(halt("count(for i in 1..1000000000000 return 1)"), Some(Halt::OutOfGas));
    assert_eq!(halt("some a in 1..100000, b in 1..100000 satisfies a + b < 0"), Some(Halt::OutOfGas));
    assert_eq!(halt("for i in 1..100000 return partial"), Some(Halt::TooDeep));
    assert_eq!(halt("sort(for i in 1..400000 return -i, function(a, b) a < b)"), Some(Halt::OutOfGas));
}

#[test]
fn doubling_texts_and_lists_halts() {
    let text = format!("{{a0: \"{}\", {} r: string length(a30)}}.r", "x".repeat(64), doubled("a", 30, "+"));
    assert!(matches!(halt(&text), Some(Halt::OutOfGas | Halt::TooLarge)));
    let lists: String = (1..=30).map(|i| format!("a{i}: concatenate(a{0}, a{0}), ", i - 1)).collect();
    let text = format!("{{a0: [1, 2, 3, 4], {lists} r: count(a30)}}.r");
    assert!(matches!(halt(&text), Some(Halt::OutOfGas | Halt::TooLarge)));
    // Sharing makes a small value that is huge when written.
    let nested: String = (1..=40).map(|i| format!("a{i}: [a{0}, a{0}], ", i - 1)).collect();
    let text = format!("{{a0: 1, {nested} r: string(a40)}}.r");
    assert!(matches!(halt(&text), Some(Halt::OutOfGas | Halt::TooLarge)));
}

fn doubled(name: &str, count: usize, op: &str) -> String {
    (1..=count).map(|i| format!("{name}{i}: {name}{0} {op} {name}{0}, ", i - 1)).collect()
}

#[test]
fn deep_texts_are_refused_and_not_followed() {
    for text in [
        "[".repeat(50_000),
        "(".repeat(50_000),
        "-".repeat(50_000),
        "if ".repeat(20_000),
        "{a:".repeat(20_000),
        "not(".repeat(15_000),
        format!("1{}", "+1".repeat(10_000)),
        format!("a{}", ".a".repeat(20_000)),
        format!("a{}", "[1]".repeat(20_000)),
        "function(a) ".repeat(5_000),
        "1 in (".repeat(10_000),
    ] {
        let model = Model::compile(&[&expression(&text)], Profile::Strict);
        assert!(model.is_err(), "{} was accepted", &text[..20]);
    }
    assert_eq!(feel("[[[[[[[[[[[[1]]]]]]]]]]]]"), "[[[[[[[[[[[[1]]]]]]]]]]]]");
    assert_eq!(feel(&format!("1{}", "+1".repeat(100))), "101");
}

#[test]
fn patterns_that_explode_are_refused() {
    for pattern in [
        "(a{1000}){1000}",
        "(?=a)",
        "((((((((((((((((((((((((((((((((((((((((a))))))))))))))))))))))))))))))))))))))))",
        "(a)\\\\1",
    ] {
        assert_eq!(feel(&format!("matches(\"aaa\", \"{pattern}\")")), "null", "{pattern}");
    }
    assert_eq!(feel("matches(\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\", \"^(a+)+$\")"), "false");
}

#[test]
fn hostile_files_are_refused() {
    let bomb = r#"<!DOCTYPE d [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><definitions xmlns="https://www.omg.org/spec/DMN/20230324/MODEL/" name="&b;"/>"#;
    assert_eq!(reasons(bomb), [Reason::Xml]);
    let deep = definitions(&format!("{}{}", "<context>".repeat(50_000), "</context>".repeat(50_000)));
    assert_eq!(reasons(&deep), [Reason::Xml]);
    assert_eq!(reasons(&" ".repeat(5 * 1024 * 1024)), [Reason::TooLarge]);
    assert_eq!(reasons("<definitions/>"), [Reason::NotDmn]);
    assert_eq!(reasons("no xml"), [Reason::Xml]);
}

#[test]
fn circles_are_refused() {
    let decisions = definitions(
        r##"<decision id="a" name="A"><variable name="A"/><informationRequirement><requiredDecision href="#b"/></informationRequirement><literalExpression><text>B</text></literalExpression></decision>
        <decision id="b" name="B"><variable name="B"/><informationRequirement><requiredDecision href="#a"/></informationRequirement><literalExpression><text>A</text></literalExpression></decision>"##,
    );
    assert!(reasons(&decisions).contains(&Reason::Cycle));
    let types = definitions(
        r#"<itemDefinition name="t"><itemComponent name="next"><typeRef>t</typeRef></itemComponent></itemDefinition>"#,
    );
    assert!(reasons(&types).contains(&Reason::Cycle));
}

#[test]
fn models_that_import_each_other_are_bounded() {
    let model = |own: &str, other: &str, text: &str| {
        format!(
            r##"<definitions xmlns="https://www.omg.org/spec/DMN/20230324/MODEL/" id="{own}" name="{own}" namespace="urn:{own}">
            <import importType="https://www.omg.org/spec/DMN/20230324/MODEL/" namespace="urn:{other}" name="{other}"/>
            <decision id="d" name="D"><variable name="D"/>
            <informationRequirement><requiredDecision href="urn:{other}#d"/></informationRequirement>
            <literalExpression><text>{text}</text></literalExpression></decision></definitions>"##
        )
    };
    let (a, b, own) = (model("a", "b", "b.D + 1"), model("b", "a", "a.D + 1"), model("a", "a", "a.D"));
    let start = std::time::Instant::now();
    for sources in [vec![a.as_str(), b.as_str()], vec![own.as_str()]] {
        for profile in [Profile::Standard, Profile::Strict] {
            let refusals = Model::compile(&sources, profile).expect_err("a circle is refused");
            assert!(refusals.iter().any(|refusal| refusal.reason == Reason::Cycle), "{refusals:?}");
        }
    }
    // What is imported and not there is missed before it is deployed.
    assert!(Model::compile(&[&a], Profile::Strict).is_err());
    assert!(start.elapsed().as_secs() < 10, "{:?}", start.elapsed());
}

#[test]
fn checking_many_rules_against_each_other_is_bounded() {
    // 4,000 rules of 4,000 constants each pair of which would be compared.
    let rules: Vec<(String, String)> = (0..2_000).map(|i| (format!("<= {i}"), i.to_string())).collect();
    let rules: Vec<(&str, &str)> = rules.iter().map(|(cell, output)| (&**cell, &**output)).collect();
    let start = std::time::Instant::now();
    let found = reasons(&crate::support::table("number", "FIRST", "-1", &rules));
    assert!(found.is_empty() || found == [Reason::UnprovenOverlap], "{found:?}");
    let found = reasons(&crate::support::table("number", "UNIQUE", "-1", &rules));
    assert!(matches!(found[..], [Reason::Overlap | Reason::UnprovenOverlap, ..]), "{found:?}");
    assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
}

/// What strict reading refuses, and that it does not take long.
fn refused_soon(source: &str) -> Vec<Reason> {
    let start = std::time::Instant::now();
    let found = reasons(source);
    assert!(start.elapsed().as_secs() < 120, "{:?}", start.elapsed());
    found
}

#[test]
fn nesting_cannot_be_hidden() {
    // An attribute, an instruction and a comment that look like ends of elements to whoever does not read them.
    for (open, after) in
        [("<list x=\"/>\">", ""), ("<list><?x </list>?>", ""), ("<list>", "<!--></list>-->"), ("<list x='\"/>'>", "")]
    {
        let hidden = format!("{}{}", format!("{open}{after}").repeat(15_000), "</list>".repeat(15_000));
        let decision = format!(r#"<decision id="a" name="A"><variable name="A"/>{hidden}</decision>"#);
        assert_eq!(refused_soon(&definitions(&decision)), [Reason::Xml], "{open}");
    }
    let item = format!("{}{}", "<itemComponent name=\"x\" x=\"/>\">".repeat(15_000), "</itemComponent>".repeat(15_000));
    assert_eq!(refused_soon(&definitions(&format!(r#"<itemDefinition name="t">{item}</itemDefinition>"#))), [Reason::Xml]);
    assert!(zhulian_rules::cases::Suite::parse(&"<list x='/>'>".repeat(15_000)).is_err());
}

#[test]
fn signs_in_attributes_and_comments_are_no_nesting() {
    let entry = r#"<contextEntry label="a > b"><variable name="N" label='"x" > y'/><literalExpression label="1 > 2"><text>1</text></literalExpression></contextEntry><!-- <a><b> --><?note <a> ?>"#;
    let entries: String = (0..100).map(|i| entry.replace('N', &format!("e{i}"))).collect();
    let decision = format!(r#"<decision id="a" name="A"><variable name="A"/><context>{entries}</context></decision>"#);
    assert_eq!(reasons(&definitions(&decision)), []);
}

#[test]
fn attributes_and_prefixes_that_a_parser_compares_are_few() {
    let attributes: String = (0..300_000).map(|i| format!(" a{i}=''")).collect();
    assert_eq!(refused_soon(&format!("<definitions{attributes}/>")), [Reason::Xml]);
    let prefixes: String = (0..5_000).map(|i| format!(" xmlns:a{i}='{i}'")).collect();
    let many = "<x xmlns:q='q'/>".repeat(90_000);
    assert_eq!(refused_soon(&format!("<definitions{prefixes}>{many}</definitions>")), [Reason::Xml]);
    let spread: String = (0..5_000).map(|i| format!("<x xmlns:a{i} = '{i}'>")).collect();
    assert_eq!(refused_soon(&spread), [Reason::Xml]);
}

#[test]
fn types_of_types_do_not_grow_without_end() {
    let component = |k: usize, of: usize| format!(r#"<itemComponent name="c{k}"><typeRef>t{of}</typeRef></itemComponent>"#);
    let item = |i: usize| {
        let parts: String = (0..10).map(|k| component(k, i - 1)).collect();
        format!(r#"<itemDefinition name="t{i}">{parts}</itemDefinition>"#)
    };
    let items: String = (1..12).map(item).collect();
    let source = definitions(&format!(r#"<itemDefinition name="t0"><typeRef>number</typeRef></itemDefinition>{items}"#));
    assert!(refused_soon(&source).contains(&Reason::TooLarge));
    // Each name is twice the one before, in both branches: a tree of 2^40 parts, were it walked.
    let twice = |i: usize| format!("a{i}: if true then {{x: a{0}, y: a{0}}} else {{x: a{0}, y: a{0}}}", i - 1);
    let names: Vec<String> = (1..40).map(twice).collect();
    let start = std::time::Instant::now();
    assert!(Model::compile(&[&expression(&format!("{{a0: 1, {}}}", names.join(", ")))], Profile::Standard).is_ok());
    assert!(start.elapsed().as_secs() < 120, "{:?}", start.elapsed());
}

#[test]
fn decisions_that_all_need_each_other_are_ordered_soon() {
    let requirement = |i| format!(r##"<informationRequirement><requiredDecision href="#d{i}"/></informationRequirement>"##);
    let decision = |i: usize| {
        let needed: String = (i.saturating_sub(22)..i).map(requirement).collect();
        format!(
            r#"<decision id="d{i}" name="D{i}"><variable name="D{i}"/>{needed}<literalExpression><text>1</text></literalExpression></decision>"#
        )
    };
    assert_eq!(refused_soon(&definitions(&(0..1_800).map(decision).collect::<String>())), []);
}

#[test]
fn names_are_not_looked_up_without_end() {
    let entry = |i: usize| {
        format!(
            r#"<contextEntry><variable name="v{i}"/><literalExpression><text>1</text></literalExpression></contextEntry>"#
        )
    };
    let entries: String = (0..10_000).map(entry).collect();
    let long = vec!["v1"; 10_000].join(",");
    let more: String = (0..40).map(|i| entry(10_000 + i).replace("<text>1<", &format!("<text>[{long}]<"))).collect();
    let decision = format!(r#"<decision id="a" name="A"><variable name="A"/><context>{entries}{more}</context></decision>"#);
    assert!(refused_soon(&definitions(&decision)).contains(&Reason::TooLarge));
}

/// Threads of a pool have 2 MiB; a test that fails here ends the whole process.
fn on_a_small_stack(run: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(2 << 20).spawn(run).expect("a thread").join().expect("enough stack");
}

/// `{a: function(x) ..., b: function(x) a(a(...x...)), ...}`: each doubles the depth ten times.
fn tenfold(wrap: (&str, &str), calls: usize) -> String {
    let nest = |f: &str, count: usize| format!("{}x{}", format!("{f}(").repeat(count), ")".repeat(count));
    let each = 20 / wrap.1.len();
    let inner = format!("{}x{}", wrap.0.repeat(each), wrap.1.repeat(each));
    format!(
        "{{a: function(x) {inner}, b: function(x) {}, c: function(x) {}, d: function(x) {}, x: 1, r: {}, o: if r = null then 1 else 2}}.o",
        nest("a", 10),
        nest("b", 10),
        nest("c", 10),
        nest("d", calls)
    )
}

#[test]
fn values_within_values_are_bounded() {
    on_a_small_stack(|| {
        for wrap in [("(< ", ")"), ("[", "]"), ("{a: ", "}"), ("[(> ", ")]"), ("(<= {a: ", "})")] {
            for calls in [1, 10] {
                let text = tenfold(wrap, calls);
                assert_eq!(decide(&expression(&text), &[], 10 * GAS).map(drop), Err(Halt::TooDeep), "{}", wrap.0);
            }
        }
        assert_eq!(feel("(< (< (< 1))) = (< (< (< 1)))"), "true");
    });
}

#[test]
fn nested_evaluation_fits_a_small_stack() {
    on_a_small_stack(|| {
        for body in [
            "f(f, x)",
            "[f(f, x)][1]",
            "{a: f(f, x)}.a",
            "for i in [1] return f(f, x)",
            "(for i in [1], j in [1], k in [1] return f(f, x))[1]",
            "some i in [1], j in [1] satisfies f(f, x) = 1",
            "sort([2, 1], function(a, b) f(f, x))",
            "[1, 2][f(f, x) = item]",
            "f(f, x) in (1, not(2), [f(f, x)..3])",
            "if f(f, x) then 1 else 2",
            "string(concatenate([f(f, x)], [1]))",
            "1 between f(f, x) and 3",
            "f(f: f, x: x)",
            "f(f, x) and f(f, x)",
            "(< f(f, x))",
            "-f(f, x)",
            "f(f, x) instance of number",
        ] {
            assert_eq!(halt(&format!("{{f: function(f, x) {body}, r: f(f, 1)}}.r")), Some(Halt::TooDeep), "{body}");
        }
    });
}

#[test]
fn a_replacement_stops_where_it_is_too_large() {
    // 64 KiB of `$0` for a match of 64 KiB would be 2 GiB.
    let grown = |name: &str, first: &str| format!("{name}0: \"{}\", {}", first.repeat(64), doubled(name, 10, "+"));
    let text = format!("{{{} {} r: string length(replace(a10, \".+\", z10))}}.r", grown("a", "a"), grown("z", "$0"));
    let start = std::time::Instant::now();
    assert_eq!(halt(&text), Some(Halt::TooLarge));
    assert!(start.elapsed().as_secs() < 5, "expanded");
    assert_eq!(feel("replace(\"abc\", \"(b)\", \"[$1$0]\")"), "\"a[bb]c\"");
}

#[test]
fn a_pattern_that_looks_far_for_each_match_is_bounded() {
    let text = |count, search: &str| format!("{{a0: \"{}\", {} r: {search}}}.r", "a".repeat(64), doubled("a", count, "+"));
    let start = std::time::Instant::now();
    for search in ["count(split(a11, \"a(.*b)?\"))", "string length(replace(a11, \"a(.*b)?\", \"\"))"] {
        assert_eq!(halt(&text(11, search)), Some(Halt::TooLarge), "{search}");
        // 2 KiB are found within the bound, and a text that stands for itself in any length.
        assert!(halt(&text(5, &search.replace("a11", "a5"))).is_none(), "{search}");
        assert!(halt(&text(11, &search.replace("a(.*b)?", "aab"))).is_none(), "{search}");
    }
    assert_eq!(halt(&text(11, "matches(a11, \"([ab]{2000})*x\")")), Some(Halt::TooLarge));
    assert!(start.elapsed().as_secs() < 10, "{:?}", start.elapsed());
    assert_eq!(feel("split(\"a, b,c,,\", \",\\s*\")"), "[\"a\", \"b\", \"c\", \"\", \"\"]");
    assert_eq!(feel("split(\"ab\", \"x*\")"), "[\"\", \"a\", \"b\", \"\"]");
    assert_eq!(feel("split(\"\", \",\")"), "[\"\"]");
}

#[test]
fn members_and_arguments_are_found_by_name_without_a_search_for_each() {
    let start = std::time::Instant::now();
    let members: String = (0..2_000).map(|i| format!("m{i}: {i}, ")).collect();
    let wanted: String = (0..2_000).rev().map(|i| format!("m{i}: number, ")).collect();
    let fits =
        format!("every x in (for i in 1..400 return c) satisfies x instance of context<{}>", wanted.trim_end_matches(", "));
    let text = format!("{{c: {{{}}}, r: {fits}}}.r", members.trim_end_matches(", "));
    assert_eq!(feel(&text), "true");
    let context = |name: &str| feel(&format!("{{{members}z: 1}}.{name}"));
    assert_eq!([context("m0"), context("m1999"), context("z"), context("q")], ["0", "1999", "1", "null"]);
    assert!(start.elapsed().as_secs() < 8, "{:?}", start.elapsed());
}

/// Compiling costs no gas: what anybody can draft is compiled in a time that the size of a file bounds.
#[test]
fn long_names_of_many_members_are_read_once() {
    let start = std::time::Instant::now();
    let members: String = (0..500)
        .map(|i| format!("<itemComponent name=\"{}{i}\"><typeRef>number</typeRef></itemComponent>", "a ".repeat(60)))
        .collect();
    let paths = vec!["x.b"; 5_000].join(",");
    let source = definitions(&format!(
        r##"<itemDefinition name="t">{members}</itemDefinition><inputData id="x" name="x"><variable name="x" typeRef="t"/></inputData>
        <decision id="a" name="Answer"><variable name="Answer"/><informationRequirement><requiredInput href="#x"/></informationRequirement>
        <literalExpression><text>[{paths}]</text></literalExpression></decision>"##
    ));
    assert!(Model::compile(&[&source], Profile::Strict).is_err());
    assert!(start.elapsed().as_secs() < 10, "{:?}", start.elapsed());
    let long = "{a b: 1, a b c: 2, a: 3}";
    assert_eq!([feel(&format!("{long}.a b")), feel(&format!("{long}.a b c")), feel(&format!("{long}.a"))], ["1", "2", "3"]);
}

#[test]
fn many_tests_in_a_cell_are_bounded() {
    let start = std::time::Instant::now();
    let numbers: Vec<String> = (0..8_000).map(|i| i.to_string()).collect();
    let table = |cell: &str| crate::support::table("number", "COLLECT", "", &[(cell, "1")]);
    assert!(Model::compile(&[&table(&numbers.join(","))], Profile::Strict).is_ok());
    let below: Vec<String> = numbers.iter().map(|n| format!("<{n}")).collect();
    assert!(Model::compile(&[&table(&below.join(","))], Profile::Strict).is_ok());
    // A table that must be complete is refused where that is too much to show.
    let unique = crate::support::table("number", "UNIQUE", "", &[(&below.join(","), "1")]);
    assert!(Model::compile(&[&unique], Profile::Strict).is_err());
    assert!(start.elapsed().as_secs() < 15, "{:?}", start.elapsed());
}
