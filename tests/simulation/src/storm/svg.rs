//! An SVG writer: as much of it as one chart needs.
//!
//! There is no background, and the ink is of middling lightness: it can be read on white and on black.

use std::fmt::{self, Write as _};

/// The colour of everything that is no curve.
const INK: &str = "#7d8590";

/// A picture that is being written.
#[derive(Debug)]
pub(super) struct Svg(String);

/// Which end of a text stands at its point.
#[derive(Debug, Clone, Copy)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// How a line is drawn.
#[derive(Debug, Clone, Copy)]
pub(super) enum Stroke {
    Faint,
    Dashed,
}

impl Svg {
    /// An empty picture, with what it shows in words for whoever cannot see it.
    pub(super) fn new(width: f64, height: f64, label: &str) -> Self {
        let mut svg = Self(String::new());
        svg.put(format_args!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" aria-label="{label}" font-family="system-ui, sans-serif" font-size="12" fill="{INK}">"#
        ));
        svg
    }

    pub(super) fn text(&mut self, x: f64, y: f64, anchor: Anchor, text: &str) {
        let anchor = anchor.name();
        self.put(format_args!(
            r#"<text x="{x:.1}" y="{y:.1}" text-anchor="{anchor}">{text}</text>"#
        ));
    }

    pub(super) fn heading(&mut self, x: f64, y: f64, size: u32, text: &str) {
        self.put(format_args!(
            r#"<text x="{x:.1}" y="{y:.1}" font-size="{size}" font-weight="600">{text}</text>"#
        ));
    }

    pub(super) fn line(&mut self, from: (f64, f64), to: (f64, f64), stroke: Stroke) {
        let ((x1, y1), (x2, y2)) = (from, to);
        let style = match stroke {
            Stroke::Faint => r#"stroke-opacity="0.3""#,
            Stroke::Dashed => r#"stroke-dasharray="5 4""#,
        };
        self.put(format_args!(
            r#"<path d="M{x1:.1} {y1:.1}L{x2:.1} {y2:.1}" stroke="{INK}" {style}/>"#
        ));
    }

    /// A line through points, with the area down to `floor` tinted.
    pub(super) fn curve(&mut self, points: &[(f64, f64)], floor: f64, colour: &str) {
        let (Some(first), Some(last)) = (points.first(), points.last()) else {
            return;
        };
        let mut path = String::new();
        for (index, (x, y)) in points.iter().enumerate() {
            let command = if index == 0 { 'M' } else { 'L' };
            // Writing to a string cannot fail.
            _ = write!(path, "{command}{x:.1} {y:.1}");
        }
        self.put(format_args!(
            r#"<path d="{path}L{:.1} {floor:.1}L{:.1} {floor:.1}Z" fill="{colour}" fill-opacity="0.15"/>"#,
            last.0, first.0
        ));
        self.put(format_args!(
            r#"<path d="{path}" fill="none" stroke="{colour}" stroke-width="1.5" stroke-linejoin="round"/>"#
        ));
    }

    /// An entry of a legend.
    pub(super) fn key(&mut self, x: f64, y: f64, colour: &str, text: &str) {
        let y1 = y - 9.0;
        self.put(format_args!(
            r#"<rect x="{x:.1}" y="{y1:.1}" width="18" height="10" rx="2" fill="{colour}"/>"#
        ));
        self.text(x + 24.0, y, Anchor::Start, text);
    }

    pub(super) fn finish(mut self) -> String {
        self.put(format_args!("</svg>"));
        self.0
    }

    fn put(&mut self, element: fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        _ = writeln!(self.0, "{element}");
    }
}

impl Anchor {
    const fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Middle => "middle",
            Self::End => "end",
        }
    }
}
