//! Proof by simulation: the shipped client against a simulated server and network, in virtual time.

mod storm;

fn main() {
    storm::run();
}
