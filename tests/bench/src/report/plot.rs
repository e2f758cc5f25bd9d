//! What a picture shows: figures against what they depend on, a curve each.

use serde_json::json;

use super::table::Unit;
use crate::clock::Samples;

/// One picture.
pub struct Plot {
    /// Of its file.
    pub name: &'static str,
    pub title: String,
    pub x: Axis,
    pub y: Axis,
    pub curves: Vec<Curve>,
}

#[derive(Clone)]
pub struct Axis {
    pub what: String,
    pub scale: Scale,
}

/// Where a value stands on an axis, and how it is written there.
#[derive(Clone, Copy, PartialEq)]
pub enum Scale {
    /// From 0 in equal steps.
    Even(Unit),
    /// In powers of ten.
    Tenfold(Unit),
    /// One in so many lies beyond: 100 is the 99th percentile. In powers of ten.
    Percentile,
}

/// A p2pmap's curve, or its floor's.
pub struct Curve {
    pub what: String,
    pub is_floor: bool,
    /// Curves that belong together have the same.
    pub colour: usize,
    pub points: Vec<(f64, f64)>,
}

impl Axis {
    pub fn new(what: &str, scale: Scale) -> Self {
        Self { what: what.into(), scale }
    }
}

impl Curve {
    pub fn ours(colour: usize, what: &str, points: Vec<(f64, f64)>) -> Self {
        Self { what: what.into(), is_floor: false, colour, points }
    }

    pub fn floor(colour: usize, what: &str, points: Vec<(f64, f64)>) -> Self {
        Self { is_floor: true, ..Self::ours(colour, what, points) }
    }
}

impl Plot {
    /// Latency at each percentile.
    pub fn of_latency(name: &'static str, title: &str, curves: Vec<Curve>) -> Self {
        Self {
            name,
            title: title.into(),
            x: Axis::new("percentile", Scale::Percentile),
            y: Axis::new("latency", Scale::Tenfold(Unit::Nanoseconds)),
            curves,
        }
    }

    pub fn json(&self) -> serde_json::Value {
        let curve = |curve: &Curve| json!({ "what": curve.what, "floor": curve.is_floor, "points": curve.points });
        json!({
            "name": self.name, "title": self.title, "x": self.x.what, "x_unit": self.x.scale.unit(), "y": self.y.what,
            "y_unit": self.y.scale.unit(), "curves": self.curves.iter().map(curve).collect::<Vec<_>>(),
        })
    }
}

impl Scale {
    fn unit(self) -> &'static str {
        match self {
            Self::Even(unit) | Self::Tenfold(unit) => unit.name(),
            Self::Percentile => "1 / (1 - quantile)",
        }
    }
}

/// The samples as points of a plot of latency: from the median's half to the last percentile beyond which ten samples lie.
pub fn percentiles(samples: &Samples) -> Vec<(f64, f64)> {
    const STEPS_IN_TENFOLD: f64 = 12.0;
    let beyond = (0..).map(|step| 10_f64.powf(f64::from(step) / STEPS_IN_TENFOLD));
    let known = beyond.take_while(|beyond| *beyond <= samples.count() as f64 / 10.0);
    known.map(|beyond| (beyond, samples.quantile(1.0 - 1.0 / beyond))).collect()
}
