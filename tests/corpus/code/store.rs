//! A store that keeps values by name.
//! It forgets the oldest ones.

use std::fmt;

pub const LIMIT: usize = 10;
static NAME: &str = "store";

/// Keeps values by name.
///
/// The newest ones come first.
#[derive(Debug)]
pub struct Store<T> {
    items: Vec<T>,
}

pub enum Colour {
    Red,
    Green,
}

pub trait Shape {
    const SIDES: u32;
    fn area(&self) -> f64;
    fn name(&self) -> String {
        String::new()
    }
}

pub type Names = Vec<String>;

impl<T> Store<T> {
    /// Makes an empty store, with nothing in it at all: as empty as one can be.
    pub fn new() -> Self {
        Store { items: vec![] }
    }
}

impl<T: fmt::Debug> fmt::Display for Store<T> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        Ok(())
    }
}

macro_rules! shout {
    ($x:expr) => {
        println!("{}", $x)
    };
}

union Bits {
    a: u32,
    b: f32,
}

mod tests {
    #[test]
    fn it_works() {}
}
