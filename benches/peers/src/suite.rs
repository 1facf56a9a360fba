//! All engines behind one face, and whether they agree.

use std::hint::black_box;

use crate::requests::Case;
use crate::{Engine, Reads, engines};

pub use crate::Way;

pub const WAYS: [Way; 3] = [Way::Prepared, Way::Value, Way::Text];

impl Way {
    pub fn title(self) -> &'static str {
        match self {
            Way::Prepared => "prepared input",
            Way::Value => "value in memory",
            Way::Text => "JSON text",
        }
    }
}

/// An engine with all requests laid ready for it.
pub trait Ready {
    fn name(&self) -> &'static str;
    /// Whether it is asked in this way.
    fn has(&self, way: Way) -> bool;
    /// Asks for every request once; how many are allowed.
    fn pass(&mut self, way: Way) -> usize;
    /// The answer to each request.
    fn answers(&mut self, way: Way) -> Vec<bool>;
}

struct Laid<E: Engine> {
    engine: E,
    prepared: Vec<E::Prepared>,
    values: Vec<E::Value>,
    texts: Vec<String>,
}

fn lay<E: Engine + 'static>(cases: &[Case]) -> Box<dyn Ready> {
    let mut engine = E::compile();
    let text = |case: &Case| match E::READS {
        Reads::Plain => case.plain.clone(),
        Reads::Request => case.request.clone(),
        Reads::Bare => case.bare.clone(),
    };
    let texts: Vec<String> = cases.iter().map(text).collect();
    let values: Vec<E::Value> = texts.iter().map(|text| engine.read(text)).collect();
    let prepared = values.iter().map(|value| engine.prepare(value)).collect();
    Box::new(Laid { engine, prepared, values, texts })
}

impl<E: Engine> Laid<E> {
    #[inline(always)]
    fn each(&mut self, way: Way, mut answer: impl FnMut(bool)) {
        let engine = &mut self.engine;
        match way {
            Way::Prepared => self.prepared.iter_mut().for_each(|input| answer(engine.prepared(black_box(input)))),
            Way::Value => self.values.iter().for_each(|value| answer(engine.value(black_box(value)))),
            Way::Text => self.texts.iter().for_each(|text| answer(engine.text(black_box(text)))),
        }
    }
}

impl<E: Engine> Ready for Laid<E> {
    fn name(&self) -> &'static str {
        E::NAME
    }

    fn has(&self, way: Way) -> bool {
        E::WAYS.contains(&way)
    }

    fn pass(&mut self, way: Way) -> usize {
        let mut allowed = 0;
        self.each(way, |answer| allowed += usize::from(black_box(answer)));
        allowed
    }

    fn answers(&mut self, way: Way) -> Vec<bool> {
        let mut answers = Vec::with_capacity(self.texts.len());
        self.each(way, |answer| answers.push(answer));
        answers
    }
}

/// Every engine of this build, stagegate first.
pub fn engines(cases: &[Case]) -> Vec<Box<dyn Ready>> {
    vec![
        lay::<engines::stagegate::Engine>(cases),
        lay::<engines::stagegate::Bare>(cases),
        lay::<engines::stagegate_struct::Engine>(cases),
        lay::<engines::stagegate_explained::Unread>(cases),
        lay::<engines::stagegate_explained::Read>(cases),
        lay::<engines::hand::Engine>(cases),
        #[cfg(feature = "hand-times")]
        lay::<engines::hand_times::Engine>(cases),
        #[cfg(feature = "datalogic")]
        lay::<engines::datalogic::Engine>(cases),
        #[cfg(feature = "datalogic")]
        lay::<engines::datalogic_same::Engine>(cases),
        #[cfg(feature = "zen")]
        lay::<engines::zen::Engine>(cases),
        #[cfg(feature = "casbin")]
        lay::<engines::casbin::Engine>(cases),
        #[cfg(feature = "regorus")]
        lay::<engines::regorus::Engine>(cases),
        #[cfg(feature = "rhai")]
        lay::<engines::rhai::Engine>(cases),
        #[cfg(feature = "cel")]
        lay::<engines::cel::Engine>(cases),
        #[cfg(feature = "cedar")]
        lay::<engines::cedar::Engine>(cases),
    ]
}

/// Every difference between an engine's answers and stagegate's.
pub fn disagreements(cases: &[Case], engines: &mut [Box<dyn Ready>]) -> Vec<String> {
    let expected = engines[0].answers(Way::Prepared);
    let mut found = Vec::new();
    for engine in engines {
        for way in WAYS {
            if !engine.has(way) {
                continue;
            }
            let answers = engine.answers(way);
            for (index, case) in cases.iter().enumerate() {
                if answers.get(index) != expected.get(index) {
                    let (name, answer) = (engine.name(), &answers[index]);
                    found.push(format!(
                        "{name}, {}, request {index}: {answer}\n{}\n{}",
                        way.title(),
                        case.plain,
                        case.request
                    ));
                }
            }
        }
    }
    found
}
