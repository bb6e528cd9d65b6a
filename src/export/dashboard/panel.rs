//! What a panel shows, and how.

use serde::Deserialize;

use super::bands::Bands;

/// One figure of a dashboard.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Panel {
    /// Heading.
    pub title: String,
    /// A sentence about it.
    #[serde(default)]
    pub description: String,
    /// How it is drawn.
    #[serde(rename = "type")]
    pub visual: Visual,
    /// The query, in Prometheus' language; several go into `queries`.
    pub query: Option<String>,
    /// Name of each series of `query`, such as `{{queue}}`.
    #[serde(default)]
    pub legend: String,
    /// Several queries in one panel.
    #[serde(default)]
    pub queries: Vec<Series>,
    /// Unit, as Grafana names it: `s`, `percentunit`, `short` …
    #[serde(default = "plain")]
    pub unit: String,
    /// Decimals that are shown.
    pub decimals: Option<u8>,
    /// What the axis measures.
    #[serde(default)]
    pub ylabel: String,
    /// Lower end of the axis.
    pub min: Option<f64>,
    /// Upper end of the axis.
    pub max: Option<f64>,
    /// Where values change colour.
    pub bands: Option<Bands>,
    /// Words for values.
    #[serde(default)]
    pub values: Vec<Shown>,
    /// How series are drawn.
    #[serde(default)]
    pub draw: Draw,
    /// Whether series are put on top of each other.
    #[serde(default)]
    pub stacked: bool,
    /// The label whose value a click on a series chooses.
    pub by: Option<String>,
    /// Dashboards to go on to.
    #[serde(default)]
    pub links: Vec<Link>,
    /// Width, of 24.
    pub width: Option<u8>,
    /// Height, in rows.
    pub height: Option<u8>,
}

/// How a panel is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Visual {
    /// A dial for each series.
    Gauge,
    /// A number for each series.
    Stat,
    /// A bar for each series.
    BarGauge,
    /// Lines, areas or bars over time.
    Timeseries,
    /// States over time.
    StateTimeline,
    /// Rows, one for each series.
    Table,
    /// Shares of a whole.
    Pie,
    /// Links and nothing else.
    Links,
}

/// One query of a panel.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Series {
    /// The query, in Prometheus' language.
    pub query: String,
    /// Name of each series.
    #[serde(default)]
    pub legend: String,
    /// Unit, if other than the panel's.
    pub unit: Option<String>,
    /// Side of the axis.
    #[serde(default)]
    pub axis: Axis,
    /// How it is drawn, if other than the panel's.
    pub draw: Option<Draw>,
    /// Colour of all its series.
    pub colour: Option<String>,
    /// Where its values change colour, if elsewhere than the panel's.
    pub bands: Option<Bands>,
    /// Whether its series are put on top of each other.
    #[serde(default)]
    pub stacked: bool,
}

/// Side of an axis.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Axis {
    /// On the left.
    #[default]
    Left,
    /// On the right.
    Right,
}

/// How series are drawn over time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Draw {
    /// A line.
    #[default]
    Line,
    /// A dashed line.
    Dashed,
    /// A filled area.
    Area,
    /// Bars.
    Bars,
}

/// What is shown for a value.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shown {
    /// The value.
    pub value: i64,
    /// What is shown instead.
    pub text: String,
    /// In which colour.
    pub colour: String,
}

/// A way to another dashboard.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// Name of the dashboard.
    pub to: String,
    /// What the link is called.
    pub title: String,
}

fn plain() -> String {
    "short".to_owned()
}

impl Panel {
    /// All its queries.
    pub fn series(&self) -> Vec<Series> {
        let single = self.query.as_ref().map(|query| Series {
            query: query.clone(),
            legend: self.legend.clone(),
            unit: None,
            axis: Axis::Left,
            draw: None,
            colour: None,
            bands: None,
            stacked: false,
        });
        single.into_iter().chain(self.queries.iter().cloned()).collect()
    }
}

impl Visual {
    /// Whether it shows the newest value alone. Such a query is evaluated at the end of the time range only, so that
    /// a series that stopped shows no data instead of its last value.
    pub(super) fn is_of_now(self) -> bool {
        !matches!(self, Self::Timeseries | Self::StateTimeline)
    }

    /// Width and height where a panel does not say.
    pub(super) fn size(self) -> (u8, u8) {
        match self {
            Self::Gauge | Self::Stat => (6, 7),
            Self::Pie => (8, 9),
            Self::BarGauge | Self::Timeseries | Self::StateTimeline | Self::Table => (12, 9),
            Self::Links => (24, 3),
        }
    }
}
