//! Plots as SVG. Curves of p2pmap are drawn through, those of floors broken.

use std::ops::Range;
use std::path::Path;

use plotters::coord::Shift;
use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};
use plotters::prelude::{
    BLACK, ChartBuilder, Circle, DashedLineSeries, DrawingArea, IntoDrawingArea, IntoFont, LineSeries, PathElement, RGBColor,
    SVGBackend, ShapeStyle, Text, WHITE,
};

use super::plot::{Axis, Curve, Plot, Scale};
use super::table::amount;
use crate::Result;

const WIDTH: u32 = 900;
const HEIGHT: u32 = 460;
/// Beside the chart, for what the curves are.
const LEGEND: u32 = 230;
const FONT: &str = "sans-serif";
const PALE: RGBColor = RGBColor(225, 225, 225);
/// Told apart by most eyes (Okabe and Ito 2008).
const COLOURS: [RGBColor; 5] =
    [RGBColor(0, 114, 178), RGBColor(213, 94, 0), RGBColor(0, 158, 115), RGBColor(204, 121, 167), RGBColor(110, 110, 110)];
/// A few points are marked each; more make a line.
const MARKED: usize = 20;

/// Writes the plot as a file.
pub fn draw(plot: &Plot, path: &Path) -> Result<()> {
    let picture = SVGBackend::new(path, (WIDTH, HEIGHT)).into_drawing_area();
    picture.fill(&WHITE)?;
    let picture = picture.titled(&plot.title, (FONT, 19))?;
    let (area, legend) = picture.split_horizontally(WIDTH - LEGEND);
    let (x, y) = (Extent::of(&plot.x, plot, |point| point.0), Extent::of(&plot.y, plot, |point| point.1));
    let mut chart = ChartBuilder::on(&area).margin(12).x_label_area_size(44).y_label_area_size(72).build_cartesian_2d(x, y)?;
    chart
        .configure_mesh()
        .x_desc(&plot.x.what)
        .y_desc(&plot.y.what)
        .label_style((FONT, 13))
        .axis_desc_style((FONT, 14))
        .bold_line_style(PALE)
        .light_line_style(WHITE)
        .draw()?;
    for curve in &plot.curves {
        let style = style(curve);
        match curve.is_floor {
            false => chart.draw_series(LineSeries::new(curve.points.iter().copied(), style))?,
            true => chart.draw_series(DashedLineSeries::new(curve.points.iter().copied(), 6, 4, style))?,
        };
        if curve.points.len() <= MARKED {
            chart.draw_series(curve.points.iter().map(|point| Circle::new(*point, 3, style.filled())))?;
        }
    }
    explain(&plot.curves, &legend)?;
    Ok(picture.present()?)
}

fn style(curve: &Curve) -> ShapeStyle {
    ShapeStyle { color: COLOURS[curve.colour % COLOURS.len()].into(), filled: false, stroke_width: 2 }
}

/// What each curve is, from the top down.
fn explain(curves: &[Curve], legend: &DrawingArea<SVGBackend<'_>, Shift>) -> Result<()> {
    for (curve, y) in curves.iter().zip((24..).step_by(24)) {
        // A broken line, as in the chart.
        for at in (0..30).step_by(10) {
            let end = if curve.is_floor { at + 6 } else { at + 10 };
            legend.draw(&PathElement::new([(at, y), (end, y)], style(curve)))?;
        }
        legend.draw(&Text::new(curve.what.clone(), (38, y - 7), (FONT, 13).into_font().color(&BLACK)))?;
    }
    Ok(())
}

/// An axis from its lowest to its highest value.
struct Extent {
    scale: Scale,
    low: f64,
    high: f64,
}

impl Extent {
    fn of(axis: &Axis, plot: &Plot, coordinate: impl Fn(&(f64, f64)) -> f64) -> Self {
        let all = || plot.curves.iter().flat_map(|curve| curve.points.iter().map(&coordinate));
        let (low, high) = (all().fold(f64::MAX, f64::min), all().fold(f64::MIN_POSITIVE, f64::max));
        match axis.scale {
            Scale::Even(_) => Self { scale: axis.scale, low: 0.0, high: high * 1.1 },
            Scale::Tenfold(_) | Scale::Percentile => {
                // To the next 1, 2 or 5 of a power of ten.
                let marks: Vec<f64> = marks(low.min(high) / 10.0, high * 10.0).collect();
                let below = marks.iter().rev().find(|mark| **mark <= low * 1.001);
                let above = marks.iter().find(|mark| **mark >= high * 0.999);
                Self { scale: axis.scale, low: *below.unwrap_or(&low), high: *above.unwrap_or(&high) }
            }
        }
    }

    fn place(&self, value: f64) -> f64 {
        match self.scale {
            Scale::Even(_) => (value - self.low) / (self.high - self.low),
            Scale::Tenfold(_) | Scale::Percentile => (value / self.low).ln() / (self.high / self.low).ln(),
        }
    }
}

/// 1, 2 and 5 of each power of ten.
fn marks(low: f64, high: f64) -> impl Iterator<Item = f64> {
    let powers = low.log10().floor() as i32..=high.log10().ceil() as i32;
    powers.flat_map(|power| [1.0, 2.0, 5.0].map(|digit| digit * 10_f64.powi(power)))
}

impl Ranged for Extent {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (start, end): (i32, i32)) -> i32 {
        start + (self.place(*value) * f64::from(end - start)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        let most = hint.max_num_points().min(12);
        let (low, high) = (self.low * 0.999, self.high * 1.001);
        if let Scale::Even(_) = self.scale {
            let fits = |step: &f64| (self.high / step) as usize <= most;
            let step = marks(self.high / 100.0, self.high).find(fits).unwrap_or(self.high);
            return (0..).map(|at| f64::from(at) * step).take_while(|value| *value <= high).collect();
        }
        let within: Vec<f64> = marks(self.low, self.high).filter(|mark| *mark >= low && *mark <= high).collect();
        let is_power = |mark: &f64| mark.log10().fract().abs() < 1e-9;
        match self.scale {
            // The median, too.
            Scale::Percentile => within.into_iter().filter(|mark| *mark == 2.0 || is_power(mark)).collect(),
            _ if within.len() > most => within.into_iter().filter(is_power).collect(),
            _ => within,
        }
    }

    fn range(&self) -> Range<f64> {
        self.low..self.high
    }
}

impl ValueFormatter<f64> for Extent {
    fn format_ext(&self, value: &f64) -> String {
        match self.scale {
            Scale::Even(unit) | Scale::Tenfold(unit) => amount(unit, *value).replace(".00", "").replace(".0 ", " "),
            Scale::Percentile => format!("{}", (100.0 - 100.0 / value) as f32),
        }
    }
}
