//! What a server promises in its greeting.

use super::scan;

/// The features that the client makes use of; DESIGN's table says what each promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Features {
    /// Answers every event that asks for it.
    pub(crate) ack: bool,
    /// Removes duplicates by message id.
    pub(crate) dedupe: bool,
    /// Refuses what follows a refused message in its lane.
    pub(crate) order: bool,
    /// Wants a receipt for messages and notifications, and keeps each until then.
    pub(crate) receipts: bool,
}

impl Features {
    /// Reads the JSON array of names; unknown ones are ignored.
    pub(crate) fn parse(array: &str) -> Self {
        let mut features = Self::default();
        for name in scan::elements(array).filter_map(scan::string) {
            for (known, feature) in features.by_name() {
                if *name == *known {
                    *feature = true;
                }
            }
        }
        features
    }

    /// Their names as a JSON array.
    pub(crate) fn to_json(mut self) -> String {
        let mut json = String::from("[");
        for (name, feature) in self.by_name() {
            if *feature {
                json.push_str(if json.len() > 1 { ",\"" } else { "\"" });
                json.push_str(name);
                json.push('"');
            }
        }
        json.push(']');
        json
    }

    fn by_name(&mut self) -> [(&'static str, &mut bool); 4] {
        [
            ("ack", &mut self.ack),
            ("dedupe", &mut self.dedupe),
            ("order", &mut self.order),
            ("receipts", &mut self.receipts),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        for json in ["[]", r#"["ack"]"#, r#"["ack","dedupe","order","receipts"]"#] {
            assert_eq!(Features::parse(json).to_json(), json);
        }
        assert_eq!(Features::parse(r#"["x",1,"order"]"#).to_json(), r#"["order"]"#);
    }
}
