"""Spans into a file, one OTLP/JSON line per batch: the format of the Collector's file exporter."""

import logging
import os
from collections.abc import Sequence
from pathlib import Path

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from token_otel.otel.otlp_json import encode_line

logger = logging.getLogger(__name__)

# O_BINARY is Windows': without it a newline becomes two bytes.
_FLAGS = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)


class JsonLinesSpanExporter(SpanExporter):
    """Appends each batch to a file as one line.

    The file is opened for each batch and closed behind it. So a fork inherits nothing, a file that was moved or
    deleted meanwhile (log rotation, a clean-up between two runs) is made anew, and nothing is open between batches.

    Several threads and processes may append to one file: a batch is one `write` in append mode, which the system does
    not interleave with others on a local disk. There is no lock: one that is held during a fork stays locked in the child.

    Never raises: a batch that cannot be written is lost, and each cause is logged once.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path).absolute()  # the program may change its directory before the first span ends
        self._closed = False
        # A line may be torn by a crash before us or by a full disk under us: look before the first write and after a failure.
        self._look_for_torn_line = True
        self._logged: set[object] = set()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Append `spans` as one line; `FAILURE` when that was not possible or after `shutdown`."""
        if self._closed:
            self._log_once("shut down", "the exporter is shut down")
            return SpanExportResult.FAILURE
        try:
            line = encode_line(spans)
            if line:
                self._append(line)
        except OSError as error:
            self._log_once(error.errno, error.strerror or str(error))
            return SpanExportResult.FAILURE
        except Exception as error:
            self._log_once(type(error), type(error).__name__)  # its text may quote an attribute
            return SpanExportResult.FAILURE
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        """Refuse further batches."""
        self._closed = True

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Return true: what was exported is with the system already."""
        return True

    def _append(self, line: bytes) -> None:
        descriptor = self._open()
        try:
            if self._look_for_torn_line and _ends_torn(descriptor):
                line = b"\n" + line
            _write(descriptor, line)
            self._look_for_torn_line = False
        except BaseException:
            self._look_for_torn_line = True
            raise
        finally:
            os.close(descriptor)

    def _open(self) -> int:
        try:
            return os.open(self.path, _FLAGS, 0o666)
        except FileNotFoundError:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            return os.open(self.path, _FLAGS, 0o666)

    def _log_once(self, cause: object, sentence: str) -> None:
        if cause not in self._logged:
            self._logged.add(cause)
            logger.error("spans are not written to %s: %s; the same cause is not logged again", self.path, sentence)


def _ends_torn(descriptor: int) -> bool:
    """Whether the last line of the file has no end; a device or a pipe, which has no size, does not."""
    if os.fstat(descriptor).st_size == 0:
        return False
    os.lseek(descriptor, -1, os.SEEK_END)
    return os.read(descriptor, 1) != b"\n"


def _write(descriptor: int, line: bytes) -> None:
    """Write the whole line, in one call unless the system takes only a part of it."""
    left = memoryview(line)
    while left:
        left = left[os.write(descriptor, left) :]
