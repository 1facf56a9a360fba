//! A program with one engine: a request as JSON on the standard input, `true` or `false` on the standard output.
//! `sizes.sh` builds it with each engine alone.

use std::io::Read;

use stagegate_peers::{Engine, engines};

fn main() {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).expect("UTF-8");
    #[cfg(feature = "stagegate")]
    ask::<engines::stagegate::Engine>(&text);
    #[cfg(feature = "hand")]
    ask::<engines::hand::Engine>(&text);
    #[cfg(feature = "hand-times")]
    ask::<engines::hand_times::Engine>(&text);
    #[cfg(feature = "datalogic")]
    ask::<engines::datalogic::Engine>(&text);
    #[cfg(feature = "zen")]
    ask::<engines::zen::Engine>(&text);
    #[cfg(feature = "regorus")]
    ask::<engines::regorus::Engine>(&text);
    #[cfg(feature = "casbin")]
    ask::<engines::casbin::Engine>(&text);
    #[cfg(feature = "rhai")]
    ask::<engines::rhai::Engine>(&text);
    #[cfg(feature = "cel")]
    ask::<engines::cel::Engine>(&text);
    #[cfg(feature = "cedar")]
    ask::<engines::cedar::Engine>(&text);
}

#[allow(dead_code)]
fn ask<E: Engine>(text: &str) {
    println!("{}", E::compile().text(text));
}
