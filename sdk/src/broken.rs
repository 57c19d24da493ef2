//! Where the client can be broken on purpose, so that the simulation is seen to find it. Never outside of one: without the
//! feature `sim` each of these is the word `false`.

#[cfg(feature = "sim")]
macro_rules! broken {
    ($defect:ident) => {
        $crate::sys::sim::Defect::$defect.is_on()
    };
}

#[cfg(not(feature = "sim"))]
macro_rules! broken {
    ($defect:ident) => {
        false
    };
}

pub(crate) use broken;
