//! How values are shown: unit, colours, words, and what one query has of its own.

use serde_json::{Map, Value as Json, json};

use crate::export::dashboard::{Axis, Bands, Dashboard, Draw, Panel, Series, Visual, links};

const DASH: [u8; 2] = [8, 8];
const GREY: &str = "#808080";

pub(super) fn config(dashboard: &Dashboard, panel: &Panel) -> Json {
    let overrides: Vec<Json> = panel
        .series()
        .iter()
        .zip('A'..)
        .map(|(series, reference)| (own(series), reference))
        .filter(|(properties, _)| !properties.is_empty())
        .map(|(properties, reference)| {
            json!({
                "matcher": {"id": "byFrameRefID", "options": reference.to_string()},
                "properties": properties.into_iter().map(|(id, value)| json!({"id": id, "value": value})).collect::<Json>(),
            })
        })
        .collect();
    json!({"defaults": defaults(dashboard, panel), "overrides": overrides})
}

fn defaults(dashboard: &Dashboard, panel: &Panel) -> Json {
    let by_thresholds = panel.bands.is_some() && panel.visual != Visual::Timeseries;
    let mut defaults = json!({
        "unit": panel.unit,
        "noValue": "no data",
        "mappings": mappings(panel),
        "thresholds": panel.bands.as_ref().map_or_else(|| steps(&[(None, "text")]), |bands| steps(&bands.steps())),
        "color": {"mode": if by_thresholds { "thresholds" } else { "palette-classic" }},
        "links": links::of_series(dashboard, panel),
    });
    for (name, value) in [("min", panel.min), ("max", panel.max)] {
        if let Some(value) = value {
            defaults[name] = json!(value);
        }
    }
    if let Some(decimals) = panel.decimals {
        defaults["decimals"] = json!(decimals);
    }
    match panel.visual {
        Visual::Timeseries => defaults["custom"] = over_time(panel),
        Visual::StateTimeline => defaults["custom"] = json!({"lineWidth": 0, "fillOpacity": 80}),
        _ => {}
    }
    defaults
}

/// What is unknown is grey and says so; it is never green.
fn mappings(panel: &Panel) -> Json {
    let unknown = json!({
        "type": "special",
        "options": {"match": "null+nan", "result": {"text": "no data", "color": GREY, "index": panel.values.len()}},
    });
    let words: Map<String, Json> = panel
        .values
        .iter()
        .enumerate()
        .map(|(place, shown)| {
            (shown.value.to_string(), json!({"text": shown.text, "color": shown.colour, "index": place}))
        })
        .collect();
    let words = (!words.is_empty()).then(|| json!({"type": "value", "options": words}));
    words.into_iter().chain([unknown]).collect()
}

fn steps(steps: &[(Option<f64>, &str)]) -> Json {
    let steps: Json = steps.iter().map(|(from, colour)| json!({"value": from, "color": colour})).collect();
    json!({"mode": "absolute", "steps": steps})
}

fn over_time(panel: &Panel) -> Json {
    let mut custom = json!({
        "lineWidth": 1,
        "showPoints": "never",
        "spanNulls": false,
        "axisPlacement": "auto",
        "axisLabel": panel.ylabel,
        "stacking": stacking(panel.stacked),
        "thresholdsStyle": {"mode": if panel.bands.is_some() { "line" } else { "off" }},
    });
    drawing(panel.draw).into_iter().for_each(|(name, value)| custom[name] = value);
    custom
}

fn drawing(draw: Draw) -> [(&'static str, Json); 3] {
    let (style, fill, line) = match draw {
        Draw::Line => ("line", 0, json!({"fill": "solid"})),
        Draw::Dashed => ("line", 0, json!({"fill": "dash", "dash": DASH})),
        Draw::Area => ("line", 30, json!({"fill": "solid"})),
        Draw::Bars => ("bars", 80, json!({"fill": "solid"})),
    };
    [("drawStyle", json!(style)), ("fillOpacity", json!(fill)), ("lineStyle", line)]
}

fn stacking(stacked: bool) -> Json {
    json!({"mode": if stacked { "normal" } else { "none" }, "group": "A"})
}

/// What a query has other than its panel.
fn own(series: &Series) -> Vec<(String, Json)> {
    let mut properties = Vec::new();
    let mut set = |id: &str, value: Json| properties.push((id.to_owned(), value));
    if let Some(unit) = &series.unit {
        set("unit", json!(unit));
    }
    if series.axis == Axis::Right {
        set("custom.axisPlacement", json!("right"));
    }
    if let Some(draw) = series.draw {
        drawing(draw).into_iter().for_each(|(name, value)| set(&format!("custom.{name}"), value));
    }
    if series.stacked {
        set("custom.stacking", stacking(true));
    }
    if let Some(colour) = &series.colour {
        set("color", json!({"mode": "fixed", "fixedColor": colour}));
    }
    if let Some(bands) = series.bands.as_ref().map(Bands::steps) {
        set("thresholds", steps(&bands));
        set("color", json!({"mode": "thresholds"}));
    }
    properties
}
