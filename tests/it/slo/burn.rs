//! How fast a budget burns, and who burns it.

use chrono::TimeDelta;
use naze::analyse::slo::burn::{Burn, Policy, Severity};
use naze::analyse::slo::{Contribution, Count, burners};
use naze::receipt::ReceiptId;

const MINUTE: TimeDelta = TimeDelta::minutes(1);

fn policy(target: f64, days: i64) -> Policy {
    Policy::new(target, TimeDelta::days(days)).unwrap()
}

fn factors(policy: &Policy) -> Vec<f64> {
    policy.rules.iter().map(|rule| rule.factor).collect()
}

fn windows(policy: &Policy) -> Vec<(i64, i64)> {
    policy.rules.iter().map(|rule| (rule.long.num_minutes(), rule.short.num_minutes())).collect()
}

/// Minutes with a hundred events each, of which some are bad.
fn minutes(n: usize, bad: u64) -> Vec<Option<Count>> {
    vec![Some(Count::new(100 - bad, 100).unwrap()); n]
}

/// Three days, of which the last `n` minutes had `bad` events out of a hundred.
fn lately(n: usize, bad: u64) -> Vec<Option<Count>> {
    [minutes(3 * 1_440 - n, 0), minutes(n, bad)].concat()
}

fn firing(burns: &[Burn]) -> Vec<bool> {
    burns.iter().map(|burn| burn.is_firing).collect()
}

#[test]
fn a_month_and_a_week_have_the_known_factors_and_windows() {
    let month = policy(0.999, 30);
    assert_eq!(factors(&month), [14.4, 6.0, 3.0, 1.0]);
    assert_eq!(windows(&month), [(60, 5), (360, 30), (1_440, 120), (4_320, 360)]);
    let severities: Vec<Severity> = month.rules.iter().map(|rule| rule.severity).collect();
    assert_eq!(severities, [Severity::Page, Severity::Page, Severity::Ticket, Severity::Ticket]);
    let four_weeks = policy(0.999, 28);
    assert_eq!(factors(&four_weeks), [13.44, 5.6, 2.8, 0.933_333_333]);
    assert_eq!(windows(&four_weeks), windows(&month));
    let week = policy(0.999, 7);
    assert_eq!(factors(&week), [13.44, 3.5, 1.4, 0.98]);
    assert_eq!(windows(&week), windows(&month));
}

#[test]
fn windows_of_other_periods_follow_the_period() {
    let fortnight = policy(0.999, 14);
    assert_eq!(windows(&fortnight), [(120, 10), (720, 60), (2_880, 240), (8_640, 720)]);
    assert_eq!(factors(&fortnight), [13.44, 3.5, 1.4, 0.98]);
    let quarter = policy(0.999, 90);
    assert_eq!(windows(&quarter), [(180, 15), (1_080, 90), (4_320, 360), (12_960, 1_080)]);
    assert_eq!(factors(&quarter), [14.4, 6.0, 3.0, 1.0]);
    let day = policy(0.999, 1);
    assert_eq!(windows(&day), [(51, 4), (206, 17), (617, 51)]);
    assert_eq!(
        day.left_out[0].reason, "its short window of 60 s is below the 120 s that a rate needs",
        "nine minutes and one"
    );
}

#[test]
fn a_rule_that_even_a_total_outage_cannot_fire_is_left_out_and_named() {
    let caps = [0.95, 0.9, 0.999].map(|target| policy(target, 30).burn_max);
    assert_eq!(caps.to_vec(), [20.0, 10.0, 1_000.0]);
    assert_eq!(factors(&policy(0.95, 30)), [14.4, 6.0, 3.0, 1.0]);
    let loose = policy(0.9, 30);
    assert_eq!(factors(&loose), [6.0, 3.0, 1.0]);
    assert_eq!(loose.left_out.len(), 1);
    assert_eq!(
        loose.left_out[0].reason,
        "a burn rate above 14.4 cannot be: with a target of 0.9 a total outage burns at 10"
    );
    // A burn rate has to be above the factor, so one that can only be reached is out of reach.
    assert_eq!(factors(&policy(0.5, 30)), [1.0], "caps at 2");
    assert_eq!(factors(&policy(0.0, 30)), [] as [f64; 0], "caps at 1");
    for target in [0.0, 0.5, 0.9, 0.95, 0.999] {
        let policy = policy(target, 30);
        let outage = policy.burn(&minutes(3 * 1_440, 100), MINUTE);
        assert!(outage.iter().all(|burn| burn.is_firing), "what is left fires in a total outage, {target}");
    }
}

#[test]
fn both_windows_have_to_burn() {
    let policy = policy(0.99, 30);
    let told = |slices: &[Option<Count>]| firing(&policy.burn(slices, MINUTE));
    assert_eq!(told(&lately(0, 0)), [false; 4]);
    assert_eq!(told(&lately(5, 100)), [false; 4], "five minutes are 8.3 over an hour");
    assert_eq!(told(&lately(9, 100)), [true, false, false, false]);
    let over = [lately(60, 100), minutes(5, 0)].concat();
    assert_eq!(told(&over), [false, true, true, true], "an hour of outage is over since five minutes");
    assert_eq!(told(&lately(1_440, 4)), [false, false, true, true], "a slow burn");
    assert_eq!(told(&lately(4_320, 1)), [false; 4], "exactly the budget");
    assert_eq!(told(&lately(4_320, 2)), [false, false, false, true]);
}

#[test]
fn the_burn_rate_is_the_share_of_bad_events_in_units_of_the_budget() {
    let burns = policy(0.99, 30).burn(&lately(30, 20), MINUTE);
    let (long, short) = (burns[0].long, burns[0].short);
    assert_eq!((long.rate, long.events, short.rate, short.events), (Some(10.0), 6_000, Some(20.0), 500));
    let hourly = policy(0.99, 30).burn(&[Some(Count::new(90, 100).unwrap())], TimeDelta::hours(1));
    assert_eq!((hourly[0].short.rate, hourly[0].short.slices_missing), (Some(10.0), 0));
    assert_eq!(hourly[1].long.slices_missing, 5);
}

#[test]
fn gaps_are_counted_and_nothing_measured_fires_nothing() {
    let policy = policy(0.99, 30);
    let nothing = policy.burn(&[], MINUTE);
    assert_eq!((nothing[0].long.rate, nothing[0].long.slices_missing, nothing[0].is_firing), (None, 60, false));
    let mut slices = lately(60, 100);
    let end = slices.len();
    slices[end - 30..end - 10].fill(None);
    let burns = policy.burn(&slices, MINUTE);
    assert_eq!((burns[0].long.slices_missing, burns[0].long.rate, burns[0].is_firing), (20, Some(100.0), true));
    slices[end - 5..].fill(None);
    assert!(!policy.burn(&slices, MINUTE)[0].is_firing, "nothing says that it goes on");
}

#[test]
fn a_few_events_wake_nobody() {
    let slices = vec![Some(Count::new(0, 1).unwrap()); 9];
    assert!(policy(0.99, 30).burn(&slices, MINUTE)[0].is_firing);
    let guarded = policy(0.99, 30).with_events_min(10);
    assert!(!guarded.burn(&slices, MINUTE)[0].is_firing);
    assert!(guarded.burn(&vec![slices[0]; 10], MINUTE)[0].is_firing);
}

#[test]
fn a_period_that_is_none_is_refused() {
    for days in [0, -1, 367] {
        let error = Policy::new(0.99, TimeDelta::days(days)).unwrap_err();
        assert_eq!(error.message(), format!("the period of a budget is {} s", days * 86_400));
    }
    assert!(Policy::new(1.0, TimeDelta::days(30)).unwrap_err().message().starts_with("target is 1,"));
    let tiny = Policy::new(0.99, TimeDelta::seconds(1)).unwrap();
    assert_eq!((tiny.rules.len(), tiny.left_out.len()), (0, 4));
}

#[test]
fn components_are_ranked_by_the_bad_events_they_had() {
    let id = |byte: u8| -> ReceiptId { hex(byte).parse().unwrap() };
    let spent = |component: &str, bad, total, receipts: Vec<ReceiptId>| Contribution {
        component: component.to_owned(),
        count: Count::new(total - bad, total).unwrap(),
        receipts,
    };
    let contributions = [
        spent("web", 10, 4_000, vec![id(3)]),
        spent("cache", 0, 1_000, vec![]),
        spent("bank", 20, 3_000, vec![id(2), id(1)]),
        spent("api", 10, 1_000, vec![]),
        spent("bank", 10, 1_000, vec![id(2)]),
    ];
    let burners = burners(0.99, &contributions).unwrap();
    let names: Vec<&str> = burners.iter().map(|burner| burner.component.as_str()).collect();
    assert_eq!(names, ["bank", "api", "web"]);
    assert_eq!((burners[0].bad, burners[0].total, burners[0].share, burners[0].consumed), (30, 4_000, 0.6, 0.3));
    assert_eq!(burners[0].receipts, [id(1), id(2)]);
    assert!(naze::analyse::slo::burners(0.99, &[]).unwrap().is_empty());
}

/// A receipt id of one byte, repeated.
fn hex(byte: u8) -> String {
    format!("{byte:02x}").repeat(32)
}
