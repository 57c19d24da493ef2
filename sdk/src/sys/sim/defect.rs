//! Deliberate defects: a test that is to find defects has to be seen to find some.

use std::cell::Cell;

thread_local! {
    static DEFECT: Cell<Option<Defect>> = const { Cell::new(None) };
}

macro_rules! defects {
    ($($name:ident $text:literal)*) => {
        /// One way in which the client can be broken on purpose.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Defect { $(#[doc = $text] $name,)* }

        impl Defect {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// What is broken.
            pub const fn what(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

defects! {
    Placeholder "Nothing."
}

impl Defect {
    /// Breaks the clients of this thread in one way, or in none.
    pub fn set(defect: Option<Self>) {
        DEFECT.set(defect);
    }

    /// Whether the clients of this thread are broken in this way.
    pub fn is_on(self) -> bool {
        DEFECT.get() == Some(self)
    }
}
