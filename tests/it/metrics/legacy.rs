//! Metrics under the names that older systems gave them, in their units.

use naze::config::Config;
use naze::export::prometheus::METRICS;
use naze::measure::store::Known;
use naze::measure::{Kind, Series};
use serde_json::json;

use super::{assert_told, measured, naze, sample};

/// Legacy name, unit that its series tells, canonical name, and what a value is multiplied with.
const NAMES: &[(&str, Option<&str>, &str, f64)] = &[
    ("jidoka_circuit_open_percent", None, "tps_jidoka_circuit_open_ratio", 0.01),
    ("jidoka_circuit_open_percent", Some("1"), "tps_jidoka_circuit_open_ratio", 1.0),
    ("jidoka_circuit_opens_total", None, "tps_jidoka_circuit_opens_total", 1.0),
    ("jidoka_failures_total", None, "tps_jidoka_failures_total", 1.0),
    ("jidoka_failure_rate", None, "tps_jidoka_failure_rate", 1.0),
    ("jidoka_recovery_time_secs", None, "tps_jidoka_recovery_time_seconds", 1.0),
    ("jidoka_recovery_time_secs", Some("ms"), "tps_jidoka_recovery_time_seconds", 0.001),
    ("jidoka_success_rate", None, "tps_jidoka_success_rate", 1.0),
    ("jidoka_success_rate", Some("%"), "tps_jidoka_success_rate", 0.01),
    ("queue_depth", None, "tps_kanban_queue_depth", 1.0),
    ("tps_kanban_latency_ms", None, "tps_kanban_latency_seconds", 0.001),
    ("kanban_latency_histogram", None, "tps_kanban_latency_seconds", 0.001),
    ("kanban_latency_histogram", Some("s"), "tps_kanban_latency_seconds", 1.0),
    ("kanban_latency_p99_ms", None, "tps_kanban_latency_p99_seconds", 0.001),
    ("kanban_wait_time_secs", None, "tps_kanban_wait_time_seconds", 1.0),
    ("kanban_throughput_per_min", None, "tps_kanban_throughput_per_minute", 1.0),
    ("kanban_queue_saturation", None, "tps_kanban_queue_utilization", 0.01),
    ("tcps_kanban_wip_current", None, "tps_kanban_wip_current", 1.0),
    ("wip_by_bucket", None, "tps_kanban_wip_current", 1.0),
    ("andon_alerts_per_min", None, "tps_andon_alerts_per_minute", 1.0),
    ("alert_frequency_per_min", None, "tps_andon_alerts_per_minute", 1.0),
    ("andon_mttd_secs", None, "tps_andon_mttd_seconds", 1.0),
    ("andon_alert_types_total", None, "tps_andon_alert_types", 1.0),
    ("andon_log_volume_total", None, "tps_andon_log_messages_total", 1.0),
    ("open_andons", None, "tps_andon_open", 1.0),
    ("open_count", None, "tps_andon_open", 1.0),
    ("error_budget", None, "tps_kaizen_error_budget_remaining_ratio", 1.0),
    ("heijunka_load_balance_coeff", None, "tps_heijunka_balance_coefficient", 1.0),
    ("heijunka_queue_variance", None, "tps_heijunka_queue_depth_stddev", 1.0),
    ("tps_tracing_duration_ms", None, "tps_tracing_duration_seconds", 0.001),
    ("tps_tracing_component_latency_ms", None, "tps_tracing_component_latency_seconds", 0.001),
    ("tcps_production_throughput", None, "tps_production_throughput_per_minute", 1.0),
    ("tcps_production_lead_time_p50", None, "tps_production_lead_time_p50_seconds", 0.001),
    ("tcps_production_lead_time_p90", None, "tps_production_lead_time_p90_seconds", 0.001),
    ("tcps_production_lead_time_p99", None, "tps_production_lead_time_p99_seconds", 0.001),
    ("tcps_quality_defect_rate", None, "tps_quality_defect_rate", 1.0),
    // They hold 0.95 and not 95.
    ("coverage_percent", None, "tps_quality_test_coverage_ratio", 1.0),
    ("coverage_percent", Some("%"), "tps_quality_test_coverage_ratio", 0.01),
    ("uptime_percent", None, "tps_tpm_uptime_ratio", 1.0),
    ("compliance", None, "tps_tpm_maintenance_compliance_ratio", 1.0),
    ("memory_usage_mb", None, "tps_observer_memory_bytes", 1_048_576.0),
    ("cpu_usage_percent", None, "tps_observer_cpu_ratio", 0.01),
];

#[test]
fn each_is_known_and_converted() {
    for (legacy, unit, canonical, expected) in NAMES {
        let series = Series {
            metric: (*legacy).to_owned(),
            component: "orders".to_owned(),
            kind: Kind::Gauge,
            labels: [].into(),
        };
        let known = Known { series, unit: unit.map(str::to_owned) };
        let told: Vec<_> = METRICS.iter().filter(|metric| metric.is_told_by(&known.series)).collect();
        let names: Vec<&str> = told.iter().map(|metric| metric.name).collect();
        assert_eq!(names, [*canonical], "{legacy}");
        let factor = told[0].factor(&known);
        assert!((factor - expected).abs() < 1e-12, "{legacy} in {unit:?}: {factor}");
    }
}

#[test]
fn what_receipts_tell_is_read_from_them_where_there_are_none() {
    let naze = naze(Config::in_memory());
    let level = |metric: &str, value: f64| sample(metric, "11:59:00", value, json!({}));
    measured(
        &naze,
        &json!([
            level("jidoka_circuit_open_percent", 12.0),
            level("jidoka_failure_rate", 7.0),
            level("alert_frequency_per_min", 3.0),
            level("andon_mttd_secs", 90.0),
            level("error_budget", 0.4),
        ]),
    );
    let health = naze.get("/v1/health").json();
    for (metric, value) in [
        ("tps_jidoka_circuit_open_ratio", 0.12),
        ("tps_jidoka_failure_rate", 7.0),
        ("tps_andon_alerts_per_minute", 3.0),
        ("tps_andon_mttd_seconds", 90.0),
    ] {
        assert_eq!(health["metrics"][metric], value, "{metric}: {}", health["metrics"]);
    }
    assert_told(&naze, &[("tps_kaizen_error_budget_remaining_ratio{slo=\"orders\"}", 0.4)]);
}
