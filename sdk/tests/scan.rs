//! Properties of the JSON scanner: it agrees with `serde_json`, on JSON and on damaged JSON.

#![allow(clippy::unwrap_used)]

#[cfg(target_arch = "wasm32")]
#[macro_use]
extern crate rejoin_wasm_test;

mod strategies;

use proptest::collection::vec;
use proptest::prelude::*;
use rejoin::core::scan;
use serde_json::Value;
use serde_json::value::RawValue;
use strategies::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn json_passes_as_serde_json_writes_it(text in json_text()) {
        prop_assert_eq!(scan::validate(&text, scan::MAX_DEPTH), Ok(()));
    }

    #[test]
    fn damaged_json_passes_exactly_when_serde_json_takes_it(text in json_text(), edits in edits()) {
        let text = edited(&text, &edits);
        prop_assert_eq!(scan::validate(&text, scan::MAX_DEPTH).is_ok(), well_formed(&text), "{}", text);
        let array = well_formed(&text) && text.trim_start().starts_with('[');
        prop_assert_eq!(scan::array_head(&text, scan::MAX_DEPTH).is_ok(), array, "{}", text);
    }

    #[test]
    fn arrays_are_split_as_serde_json_splits_them(items in vec(json(), 0..6), pretty in any::<bool>()) {
        let text = if pretty { serde_json::to_string_pretty(&items) } else { serde_json::to_string(&items) }.unwrap();
        let expected: Vec<&RawValue> = serde_json::from_str(&text).unwrap();
        let expected: Vec<&str> = expected.into_iter().map(RawValue::get).collect();
        prop_assert_eq!(scan::elements(&text).collect::<Vec<_>>(), expected.clone());

        let head = scan::array_head(&text, scan::MAX_DEPTH).unwrap();
        prop_assert_eq!(head.len, expected.len());
        prop_assert_eq!(head.first, expected.first().copied().unwrap_or_default());
        let rest: Vec<_> = expected.into_iter().skip(1).collect();
        prop_assert_eq!(scan::elements_from(&text, head.rest).collect::<Vec<_>>(), rest);
        prop_assert_eq!(&text[head.start..][..head.first.len()], head.first);
        prop_assert_eq!(&text[head.end..], "]");
    }

    #[test]
    fn fields_are_found_as_serde_json_finds_them(names in vec("[ab\"\\\\é]{0,2}", 0..6), other in text()) {
        // Few and short names, so that duplicates are common; serde_json keeps the last one, too.
        let mut text = String::from("{");
        for (i, name) in names.iter().enumerate() {
            text += if i == 0 { "" } else { " , " };
            text += &[&serde_json::to_string(name).unwrap(), " : [", &i.to_string(), "]"].concat();
        }
        text.push('}');
        let value: Value = serde_json::from_str(&text).unwrap();
        for name in names.iter().chain([&other]) {
            let found = scan::field(&text, name).map(|raw| serde_json::from_str::<Value>(raw).unwrap());
            prop_assert_eq!(found.as_ref(), value.get(name));
        }
        prop_assert_eq!(scan::fields(&text).count(), names.len());
    }

    #[test]
    fn strings_are_decoded_as_serde_json_decodes_them(value in text(), edits in edits(), ascii in any::<bool>()) {
        let mut raw = serde_json::to_string(&value).unwrap();
        if ascii {
            // Everything beyond ASCII as escapes, in surrogate pairs where needed.
            raw = raw.chars().map(|c| if c.is_ascii() { String::from(c) } else { escaped(c) }).collect();
        }
        let decoded = scan::string(&raw);
        prop_assert_eq!(decoded.as_deref(), Some(value.as_str()));

        let damaged = edited(&raw, &edits);
        match serde_json::from_str::<String>(&damaged) {
            Ok(expected) if damaged == damaged.trim() => {
                let decoded = scan::string(&damaged);
                prop_assert_eq!(decoded.as_deref(), Some(expected.as_str()));
            }
            // serde_json refuses a lone surrogate where its value is wanted, and takes it where it is not.
            _ if well_formed(&damaged) && damaged.starts_with('"') && damaged.ends_with('"') => {
                prop_assert!(scan::string(&damaged).is_some_and(|text| text.contains('\u{fffd}')), "{}", damaged);
            }
            _ => prop_assert_eq!(scan::string(&damaged), None, "{}", damaged),
        }
    }

    #[test]
    fn strings_are_written_as_serde_json_writes_them(value in text()) {
        let mut out = Vec::new();
        scan::write_string(&mut out, &value);
        prop_assert_eq!(String::from_utf8(out).unwrap(), serde_json::to_string(&value).unwrap());
    }

    #[test]
    fn integers_are_written_and_read(value in any::<u64>(), json in json()) {
        let mut out = Vec::new();
        scan::write_uint(&mut out, value);
        let text = String::from_utf8(out).unwrap();
        prop_assert_eq!(&text, &value.to_string());
        prop_assert_eq!(scan::uint(&text), Some(value));
        let longer = [&*text, "7"].concat();
        prop_assert_eq!(scan::uint(&longer), value.checked_mul(10).and_then(|value| value.checked_add(7)).filter(|_| value > 0));
        if !json.is_f64() {
            prop_assert_eq!(scan::uint(&json.to_string()), json.as_u64());
        }
    }

    #[test]
    fn one_changed_character_is_judged_as_serde_json_judges_it(value in json(), piece in prop::sample::select(vec!["]", "}", ",", ":", "\"", "\\", "0", " ", ""])) {
        let text: Vec<char> = value.to_string().chars().take(300).collect();
        for at in 0..text.len() {
            let changed: String =
                text[..at].iter().copied().chain(piece.chars()).chain(text[at + 1..].iter().copied()).collect();
            prop_assert_eq!(scan::validate(&changed, scan::MAX_DEPTH).is_ok(), well_formed(&changed), "{}", changed);
        }
    }

    #[test]
    fn nesting_is_counted_exactly(shape in vec(any::<bool>(), 1..200)) {
        let mut text = String::from("0");
        for object in &shape {
            text = if *object { ["{\"a\":", &text, "}"] } else { ["[1,", &text, "]"] }.concat();
        }
        prop_assert_eq!(scan::validate(&text, shape.len()), Ok(()));
        prop_assert_eq!(scan::validate(&text, shape.len() - 1), Err(scan::ScanError::TooDeep));
    }
}
