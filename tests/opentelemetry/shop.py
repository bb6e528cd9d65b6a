"""A shop as its developers instrument it, with the OpenTelemetry SDK, sending gzipped protobuf.

usage: shop.py URL VERSION    one run of one version; it fails once within a request and once outside of any
"""
import logging
import sys

from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind

url, version = sys.argv[1:]
resource = Resource.create({"service.name": "checkout", "service.version": version, "deployment.environment.name": "test"})

spans = TracerProvider(resource=resource)
spans.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{url}/v1/traces", compression=Compression.Gzip)))
tracer = spans.get_tracer("shop")

records = LoggerProvider(resource=resource)
records.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter(f"{url}/v1/logs", compression=Compression.Gzip)))
log = logging.getLogger("shop")
log.addHandler(LoggingHandler(logger_provider=records))
log.propagate = False


exporter = OTLPMetricExporter(f"{url}/v1/metrics", compression=Compression.Gzip)
metrics = MeterProvider([PeriodicExportingMetricReader(exporter)], resource=resource)
meter = metrics.get_meter("shop")
orders = meter.create_counter("shop.orders", unit="{order}")
depth = meter.create_gauge("shop.queue.depth")
duration = meter.create_histogram("shop.order.duration", unit="s", explicit_bucket_boundaries_advisory=[0.1, 1])
orders.add(3, {"paid": True})
depth.set(12, {"queue": "in"})
for seconds in (0.05, 0.5, 0.6, 7):
    duration.record(seconds)
assert metrics.force_flush()
orders.add(4, {"paid": True})


class PaymentDeclined(Exception):
    pass


with tracer.start_as_current_span("GET /", kind=SpanKind.SERVER):
    log.warning("slow, but well")

with tracer.start_as_current_span("POST /orders", kind=SpanKind.SERVER):
    try:
        with tracer.start_as_current_span("charge", kind=SpanKind.CLIENT, attributes={"service.peer.name": "payments"}):
            try:
                raise PaymentDeclined("no funds")
            except PaymentDeclined:
                # The same exception as a log record, and, because it goes on, as an event of its span.
                log.exception("cannot charge")
                raise
    except PaymentDeclined:
        pass

try:
    {}["stock"]
except KeyError:
    log.critical("the stock is gone", exc_info=True)
log.error("no exception, but an error")

assert spans.force_flush() and records.force_flush()
spans.shutdown()
metrics.shutdown()
records.shutdown()
