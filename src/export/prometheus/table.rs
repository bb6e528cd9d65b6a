//! Every `tps_*` metric: its name, type, unit, which way is good, labels, definition, and who tells it. `docs/metrics.md` shows
//! the same table.

pub use super::metric::{Metric, Type};
use super::metric::{counter, gauge, histogram};

/// Bounds of the buckets of latencies, in seconds.
const LATENCY: &[f64] = &[0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 3.0, 5.0, 10.0];
/// The same with what naze promises of itself.
const OWN: &[f64] = &[0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0];
/// Bounds of the buckets of lead and stage times, in seconds.
const LEAD: &[f64] = &[60.0, 600.0, 1_800.0, 3_600.0, 5_400.0, 6_840.0, 7_200.0, 14_400.0, 28_800.0];

/// Tells a metric that rests on receipts of any kind.
pub(super) const ALL: &str = "all";
/// Tells a metric that naze evaluates objectives for.
pub(super) const OBJECTIVES: &str = "objectives";

/// The metric of this name, which the table has.
pub(super) fn metric(name: &str) -> &'static Metric {
    METRICS.iter().find(|metric| metric.name == name).expect("only metrics of the table are told")
}

/// The metric that is called so: by its own name, a legacy one, or its own without `tps_`.
pub fn named(name: &str) -> Option<&'static Metric> {
    let is_its = |own: &str| own == name || own.strip_prefix("tps_") == Some(name);
    METRICS.iter().find(|metric| metric.names().any(is_its))
}

/// All metrics, by principle.
pub const METRICS: &[Metric] = &[
    gauge("tps_jidoka_circuit_state", &["component"])
        .unit("code")
        .told_by("circuit", "State of the circuit: 0 closed, 1 open, 2 half-open"),
    gauge("tps_jidoka_circuit_open_ratio", &[])
        .lower()
        .unit("ratio")
        .told_by("circuit", "Open circuits of all circuits")
        .also(&["jidoka_circuit_open_percent"]),
    counter("tps_jidoka_circuit_opens_total", &["component"])
        .lower()
        .told_by("circuit", "Times that the circuit opened")
        .also(&["jidoka_circuit_opens_total"]),
    counter("tps_jidoka_failures_total", &["component"]).lower().told_by("failure", "Failures")
        .also(&["jidoka_failures_total"]),
    gauge("tps_jidoka_failure_rate", &["component"])
        .lower()
        .unit("1/min")
        .told_by("failure", "Failures of the last 60 s")
        .also(&["jidoka_failure_rate"]),
    counter("tps_jidoka_failure_types_total", &["type"]).lower().told_by("failure", "Failures by class"),
    gauge("tps_jidoka_recovery_time_seconds", &["component"])
        .lower()
        .unit("s")
        .told_by("circuit", "Mean time from open to closed of the recoveries completed in the last day")
        .also(&["jidoka_recovery_time_secs"]),
    counter("tps_jidoka_requests_rejected_total", &["component"])
        .lower()
        .told_by("rejection", "Requests refused to protect the component"),
    gauge("tps_jidoka_halfopen_success_rate", &["component"]).higher().unit("ratio").told_by(
        "circuit",
        "Times that a half-open circuit closed, of the times that it closed or opened again, in the last day",
    ),
    gauge("tps_jidoka_success_rate", &["component"])
        .higher()
        .unit("ratio")
        .told_by("failure, task, series", "One minus failures over requests and tasks of the last 5 min")
        .also(&["jidoka_success_rate"]),
    gauge("tps_kanban_queue_depth", &["queue"])
        .lower()
        .told_by("series", "Items that wait now")
        .also(&["queue_depth", "kanban_queue_depth"]),
    histogram("tps_kanban_latency_seconds", &["queue"], LATENCY)
        .lower()
        .told_by("series", "Time from enqueueing to finishing")
        .milliseconds("tps_kanban_latency_ms")
        .also(&["kanban_latency_histogram"]),
    gauge("tps_kanban_latency_p50_seconds", &["queue"])
        .lower()
        .unit("s")
        .told_by("series", "Median of the latency of the last 5 min"),
    gauge("tps_kanban_latency_p99_seconds", &["queue"])
        .lower()
        .unit("s")
        .told_by("series", "99th percentile of the latency of the last 5 min")
        .milliseconds("kanban_latency_p99_ms"),
    gauge("tps_kanban_wait_time_seconds", &["queue"])
        .lower()
        .unit("s")
        .told_by("series", "Mean time from enqueueing to starting, of the last 5 min")
        .also(&["kanban_wait_time_secs"]),
    counter("tps_kanban_throughput_total", &["queue"]).higher().told_by("series", "Items completed"),
    gauge("tps_kanban_throughput_per_minute", &["queue"])
        .higher()
        .unit("1/min")
        .told_by("series", "Items completed in the last 60 s")
        .also(&["kanban_throughput_per_min"]),
    gauge("tps_kanban_dlq_depth", &["queue"]).lower().told_by("task, series", "Dead letters held: as measured, and those of the last 7 days that were told since"),
    gauge("tps_kanban_workers_available", &["queue"]).higher().told_by("worker, series", "Workers idle and ready: as measured, or those of the pool without work"),
    gauge("tps_kanban_queue_utilization", &["queue"])
        .lower()
        .unit("ratio")
        .told_by("series", "Depth over capacity")
        .also(&["kanban_queue_saturation"]),
    gauge("tps_kanban_wip_current", &["bucket"]).told_by("workorder", "Work orders in progress")
        .also(&["tcps_kanban_wip_current", "wip_by_bucket"]),
    gauge("tps_kanban_wip_limit", &["bucket"]).told_by("series", "Most work orders that may be in progress"),
    gauge("tps_kanban_wip_utilization", &["bucket"])
        .lower()
        .unit("ratio")
        .told_by("workorder, series", "Work orders in progress over their limit; that of the bucket `overall` holds for all of them"),
    histogram("tps_kanban_pull_signal_latency_seconds", &["bucket"], LEAD)
        .lower()
        .told_by("workorder", "Time from the creation of a work order to its start"),
    counter("tps_andon_errors_total", &["service", "type"]).lower().told_by("failure", "Failures by service and class"),
    gauge("tps_andon_error_rate", &["service"])
        .lower()
        .unit("ratio")
        .told_by("failure, series", "Failures over requests of the last 5 min"),
    counter("tps_andon_alerts_total", &["name", "severity"])
        .lower()
        .told_by("alert", "Firings of alerts that are not for information"),
    gauge("tps_andon_alerts_per_minute", &[]).lower().unit("1/min").told_by("alert", "Such firings of the last 60 s")
        .also(&["andon_alerts_per_min", "alert_frequency_per_min"]),
    gauge("tps_andon_mttd_seconds", &["service"])
        .lower()
        .unit("s")
        .told_by("alert, failure, incident", "Mean time from the onset of incidents to their detection, and from the first failure to the alert, of the last 30 days")
        .also(&["andon_mttd_secs"]),
    gauge("tps_andon_incident_timestamp_seconds", &["component", "severity"])
        .unit("s")
        .told_by("incident", "When an incident of the component was last opened"),
    gauge("tps_andon_alert_types", &[])
        .lower()
        .told_by("alert", "Names of alerts that fired in the last day, those for information left out")
        .also(&["andon_alert_types_total"]),
    gauge("tps_andon_critical_alerts", &[]).lower().told_by("alert", "Critical alerts that fire"),
    counter("tps_andon_log_messages_total", &["level"])
        .told_by("series", "Log entries")
        .also(&["andon_log_volume_total"]),
    counter("tps_andon_signals_total", &["colour", "component"]).told_by("signal", "Cords pulled"),
    gauge("tps_andon_open", &["severity"]).lower().told_by("andon", "Andons not resolved")
        .also(&["open_andons", "open_count"]),
    gauge("tps_andon_resolution_time_seconds", &[])
        .lower()
        .unit("s")
        .told_by("andon", "Mean time from opening to resolution of the andons resolved in the last 30 days"),
    counter("tps_andon_triggers_total", &["type"]).lower().told_by("andon", "Andons opened, by level"),
    counter("tps_andon_escalations_total", &["severity"])
        .lower()
        .told_by("alert, andon", "Escalations of alerts and andons"),
    gauge("tps_kaizen_slo_attainment", &["slo"])
        .higher()
        .unit("ratio")
        .told_by("slo, objectives", "Share that was good: of an objective in its window, of what receipts tell in the last day"),
    gauge("tps_kaizen_slo_attainment_weekly", &["slo", "week"])
        .higher()
        .unit("ratio")
        .told_by("slo, objectives", "The same in this ISO week and the one before"),
    gauge("tps_kaizen_error_budget_remaining_ratio", &["slo"])
        .higher()
        .unit("ratio")
        .told_by("series, objectives", "Error budget that is left, negative when it is overspent")
        .also(&["error_budget"]),
    counter("tps_kaizen_outliers_detected_total", &["metric"])
        .lower()
        .told_by("series", "Values more than three standard deviations above the mean of what their series was lately"),
    counter("tps_kaizen_recommendations_total", &["type"]).told_by("recommendation", "Recommendations issued"),
    gauge("tps_kaizen_relative_deviation", &["metric", "window"])
        .unit("ratio")
        .told_by("series, trends", "Distance from the mean of the window, as a share of the mean"),
    gauge("tps_kaizen_slope_per_day", &["metric", "window"])
        .unit("unit/day")
        .told_by("series, trends", "Least-squares slope over the window"),
    counter("tps_kaizen_improvements_total", &[]).higher().told_by("improvement", "Improvements made"),
    gauge("tps_kaizen_waste_reduction_ratio", &[])
        .higher()
        .unit("ratio")
        .told_by("series", "Waste removed, as reported"),
    gauge("tps_kaizen_automation_coverage_ratio", &[])
        .higher()
        .unit("ratio")
        .told_by("series", "Work that is automated, as reported"),
    gauge("tps_heijunka_pool_utilization", &["pool"])
        .lower()
        .unit("ratio")
        .told_by("series", "Capacity in use over capacity")
        .also(&["pool_utilization"]),
    gauge("tps_heijunka_balance_coefficient", &["pool"])
        .higher()
        .unit("ratio")
        .told_by("series", "One minus the standard deviation of the loads over their mean: told as such, or of the pool's utilizations when there are several")
        .also(&["heijunka_load_balance_coeff"]),
    gauge("tps_heijunka_worker_utilization", &["pool"])
        .unit("ratio")
        .told_by("series", "Active workers of all workers"),
    gauge("tps_heijunka_queue_depth_stddev", &["queue"])
        .lower()
        .told_by("series", "Standard deviation of the queue's depth in the last hour")
        .also(&["heijunka_queue_variance"]),
    gauge("tps_heijunka_workers_active", &["pool"]).told_by("series", "Workers at work"),
    gauge("tps_heijunka_workers_idle", &["pool"]).told_by("series", "Workers without work"),
    counter("tps_heijunka_scaling_events_total", &["pool", "direction"])
        .told_by("scaling", "Times that the pool was scaled"),
    counter("tps_heijunka_burst_detected_total", &["pool"]).lower().told_by("burst", "Bursts of load"),
    counter("tps_heijunka_scaling_cost_total", &["pool"])
        .lower()
        .unit("currency")
        .told_by("scaling", "Cost of scaling"),
    histogram("tps_tracing_duration_seconds", &["endpoint", "component"], LATENCY)
        .lower()
        .told_by("series", "Time to answer requests")
        .milliseconds("tps_tracing_duration_ms"),
    counter("tps_tracing_requests_total", &["endpoint"]).told_by("series", "Requests answered"),
    gauge("tps_tracing_component_latency_seconds", &["component"])
        .lower()
        .unit("s")
        .told_by("series", "Mean time to answer requests of the last 5 min")
        .milliseconds("tps_tracing_component_latency_ms"),
    counter("tps_tracing_error_traces_total", &["component"])
        .lower()
        .told_by("series", "Requests that ended in an error"),
    gauge("tps_production_throughput_per_minute", &["bucket"])
        .higher()
        .unit("1/min")
        .told_by("workorder", "Work orders done in the last 60 s")
        .also(&["tcps_production_throughput"]),
    histogram("tps_production_lead_time_seconds", &["bucket"], LEAD)
        .lower()
        .told_by("workorder", "Time from the creation of a work order until it is done")
        .milliseconds("tcps_production_lead_time_ms"),
    gauge("tps_production_lead_time_p50_seconds", &["bucket"])
        .lower()
        .unit("s")
        .told_by("workorder", "Median of the lead time of the last 1000 work orders done")
        .milliseconds("tcps_production_lead_time_p50"),
    gauge("tps_production_lead_time_p90_seconds", &["bucket"])
        .lower()
        .unit("s")
        .told_by("workorder", "90th percentile of the lead time of the last 1000 work orders done")
        .milliseconds("tcps_production_lead_time_p90"),
    gauge("tps_production_lead_time_p99_seconds", &["bucket"])
        .lower()
        .unit("s")
        .told_by("workorder", "99th percentile of the lead time of the last 1000 work orders done")
        .milliseconds("tcps_production_lead_time_p99"),
    gauge("tps_production_cycle_time_seconds", &["stage"])
        .lower()
        .unit("s")
        .told_by("stage", "Mean duration of the stages that ended in the last day"),
    histogram("tps_production_stage_duration_seconds", &["stage"], LEAD).lower().told_by("stage", "Duration of stages"),
    counter("tps_production_work_orders_completed_total", &["bucket", "stage"])
        .higher()
        .told_by("workorder, stage", "Work orders done, by the last stage told of them"),
    gauge("tps_production_deployment_success_ratio", &[])
        .higher()
        .unit("ratio")
        .told_by("deployment", "Deployments that succeeded of those that ended in the last day"),
    gauge("tps_production_deployment_timestamp_seconds", &["component", "version"])
        .unit("s")
        .told_by("deployment", "When the component was last deployed, and in which version"),
    gauge("tps_quality_defect_rate", &[])
        .lower()
        .unit("ratio")
        .told_by("gate", "Products that failed a gate of all products first seen in the last day")
        .also(&["tcps_quality_defect_rate"]),
    gauge("tps_quality_first_pass_yield", &[])
        .higher()
        .unit("ratio")
        .told_by("gate", "First tries of gates that passed, in the last day"),
    gauge("tps_quality_test_coverage_ratio", &[])
        .higher()
        .unit("ratio")
        .told_by("series", "Test coverage")
        .also(&["coverage_percent"]),
    gauge("tps_quality_gate_pass_rate", &[])
        .higher()
        .unit("ratio")
        .told_by("gate", "Tries of gates that passed, in the last day"),
    gauge("tps_tpm_uptime_ratio", &["component"])
        .higher()
        .unit("ratio")
        .told_by("health", "Time not unhealthy of the last day, as far as its health is known")
        .also(&["uptime_percent"]),
    gauge("tps_tpm_maintenance_compliance_ratio", &[])
        .higher()
        .unit("ratio")
        .told_by("maintenance", "Maintenance done on time of what was due in the last 30 days")
        .also(&["compliance"]),
    gauge("tps_tpm_last_maintenance_timestamp_seconds", &[])
        .unit("s")
        .told_by("maintenance", "When maintenance was last done"),
    gauge("tps_tpm_mtbf_seconds", &["component"])
        .higher()
        .unit("s")
        .told_by("circuit, health", "Mean time between the beginnings of outages of the last 30 days"),
    gauge("tps_tpm_mttr_seconds", &["component"])
        .lower()
        .unit("s")
        .told_by("circuit, health", "Mean duration of the outages that ended in the last 30 days"),
    gauge("tps_component_health", &["component"])
        .lower()
        .unit("code")
        .told_by("health", "Health: 0 healthy, 1 degraded, 2 unhealthy"),
    counter("tps_receipts_total", &["kind"]).told_by("all", "Receipts recorded"),
    counter("tps_receipts_invalid_total", &["kind"])
        .lower()
        .told_by("all", "Receipts refused; those that cannot be read at all have no kind and count as other"),
    gauge("tps_ontology_valid", &[])
        .higher()
        .unit("code")
        .told_by("validation", "Whether the last validation of every component went well: 1 yes, 0 no"),
    gauge("tps_persistence_last_backup_timestamp_seconds", &[])
        .unit("s")
        .told_by("backup", "When a backup last went well"),
    counter("tps_alert_remediations_total", &["action", "result"]).told_by("remediation", "Answers to alerts"),
    gauge("tps_observer_memory_ratio", &[]).lower().unit("ratio").told_by("series", "Memory in use"),
    gauge("tps_observer_memory_bytes", &[])
        .lower()
        .unit("By")
        .told_by("series", "Resident memory").also(&["memory_usage_mb"]),
    gauge("tps_observer_cpu_ratio", &[])
        .lower()
        .unit("ratio")
        .told_by("series", "CPU in use").also(&["cpu_usage_percent"]),
    gauge("tps_observer_processes", &[]).told_by("series", "Processes"),
    gauge("tps_observer_disk_used_ratio", &["disk"]).lower().unit("ratio").told_by("series", "Disk in use"),
    counter("tps_observer_network_bytes_total", &["direction"]).unit("By").told_by("series", "Bytes over the network"),
    histogram("tps_self_log_seconds", &[], OWN).lower().told_by("naze", "Time to record the receipts of a document"),
    histogram("tps_self_metric_update_seconds", &[], OWN)
        .lower()
        .told_by("naze", "Time to record the samples of a document"),
    histogram("tps_self_alert_response_seconds", &[], OWN)
        .lower()
        .told_by("naze", "Time to record an alert, and until a channel has taken its notice"),
    histogram("tps_self_trace_export_seconds", &[], OWN)
        .lower()
        .told_by("naze", "Time of a request that exports spans"),
    histogram("tps_self_diagnostics_seconds", &[], OWN)
        .lower()
        .told_by("naze", "Time to say why something broke, or how the system is"),
    gauge("tps_last_sample_timestamp_seconds", &["source"])
        .unit("s")
        .told_by("series", "Time of the newest sample of the last 24 hours, by component"),
    gauge("tps_health_score", &["pillar"])
        .higher()
        .told_by("all", "Health from 0 to 100; a pillar without data has none"),
];
