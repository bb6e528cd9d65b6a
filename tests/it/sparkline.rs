//! A series as a line of text: its heights, its gaps and what is marked below it.

use chrono::TimeDelta;
use naze::clock::Timestamp;
use naze::report::sparkline::{Characters, Mark, Sparkline};

use crate::cli::{naze, text};

const FROM: &str = "2026-03-10T10:00:00Z";

fn minute(minute: i64) -> Timestamp {
    FROM.parse::<Timestamp>().unwrap().checked_add(TimeDelta::minutes(minute)).unwrap()
}

fn of_ten_minutes(characters: Characters) -> Sparkline {
    Sparkline { from: minute(0), to: minute(10), width: 10, characters }
}

#[test]
fn heights_go_from_the_smallest_to_the_largest_and_gaps_are_seen() {
    let points: Vec<(Timestamp, f64)> = [(0, 0.0), (1, 1.0), (2, 2.0), (3, 4.0), (6, 7.0), (7, 8.0), (8, 0.0)]
        .map(|(at, value)| (minute(at), value))
        .into();
    assert_eq!(of_ten_minutes(Characters::Blocks).line(&points), "▁▂▃▅··██▁·");
    assert_eq!(of_ten_minutes(Characters::Plain).line(&points), "_.-=  ##_ ");
    let narrow = Sparkline { width: 2, ..of_ten_minutes(Characters::Plain) };
    assert_eq!(narrow.line(&points), "_#", "means of 1.75 and 5");
    let flat = [(minute(0), 3.0), (minute(9), 3.0)];
    assert_eq!(of_ten_minutes(Characters::Plain).line(&flat), "_        _");
    assert_eq!(of_ten_minutes(Characters::Plain).line(&[]), "");
    assert_eq!(of_ten_minutes(Characters::Plain).line(&[(minute(-1), 3.0), (minute(11), 4.0)]), "");
}

#[test]
fn marks_stand_below_their_moments() {
    let marks =
        [(minute(3), Mark::Event), (minute(7), Mark::Change), (minute(7), Mark::Event), (minute(99), Mark::Event)];
    assert_eq!(of_ten_minutes(Characters::Plain).marks(&marks), "   !   ^");
    assert_eq!(of_ten_minutes(Characters::Plain).marks(&[]), "");
}

/// A step of the last six hours, an hour of silence before, and a deployment half-way.
#[test]
fn the_command_draws_what_it_judges() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data").display().to_string();
    let file = folder.path().join("depth.csv");
    let mut csv = "time,component,metric,value\n".to_owned();
    let now = Timestamp::from(chrono::Utc::now());
    let ago = |minutes: i64| now.checked_add(TimeDelta::minutes(-minutes)).unwrap();
    for minutes in (1..1_440).filter(|minutes| !(360..420).contains(minutes)) {
        let value = if minutes < 360 { 50 } else { 10 } + minutes % 3;
        csv.push_str(&format!("{},orders,queue_depth,{value}\n", ago(minutes)));
    }
    std::fs::write(&file, csv).unwrap();
    let measured = naze(&["import", "--data", &data, &file.display().to_string()]);
    assert_eq!(measured.status.code(), Some(0), "{}{}", text(&measured.stdout), text(&measured.stderr));
    let deployed = folder.path().join("deployed.json");
    let receipt = serde_json::json!({"kind": "deployment", "occurredAt": ago(720), "component": "orders",
        "status": "succeeded", "version": "2"});
    std::fs::write(&deployed, receipt.to_string()).unwrap();
    let recorded = naze(&["record", "--data", &data, &deployed.display().to_string()]);
    assert_eq!(recorded.status.code(), Some(0), "{}", text(&recorded.stdout));

    let told = naze(&["trend", "--data", &data, "queue_depth", "polarity=lower"]);
    let told = text(&told.stdout);
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(lines[0], "queue_depth of orders, the last 24h", "{told}");
    let (line, marks) = (lines[1], lines[2]);
    assert_eq!(line.chars().count(), 80, "no terminal has 80 columns\n{told}");
    let (low, high) = (line.find("  ").unwrap(), line.rfind(' ').unwrap());
    assert!((56..=57).contains(&low) && (58..=59).contains(&high), "the gap is from 17 h to 18 h\n{told}");
    assert!(
        line[..low].chars().all(|c| "_.".contains(c)) && line[high + 1..].chars().all(|c| "*#".contains(c)),
        "{told}"
    );
    let (event, change) = (marks.find('!').unwrap(), marks.find('^').unwrap());
    assert!((39..=41).contains(&event) && (58..=61).contains(&change), "deployed half-way\n{told}");
    assert_eq!(lines[3], "from 10.0 to 52.0", "{told}");
    assert!(lines[4].starts_with('+'), "{told}");
    assert!(told.contains("degrading") && told.contains("not enough data"), "{told}");
    let unasked = text(&naze(&["trend", "--data", &data, "queue_depth"]).stdout);
    assert!(unasked.contains("degrading") && !unasked.contains("rising"), "{unasked}");
    let nonsense = naze(&["trend", "--data", &data, "queue_depth", "--window", "2h"]);
    assert_eq!(nonsense.status.code(), Some(2));
}
