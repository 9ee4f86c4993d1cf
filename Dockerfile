# syntax=docker/dockerfile:1
# Two stages: what builds does not run. All of it comes from the lock files, hash by hash; wheels only,
# so no package's own code runs while it is installed.
ARG PYTHON=3.11.13-slim-bookworm

FROM python:${PYTHON} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_INPUT=1
WORKDIR /src
RUN python -m venv /opt/streamer && python -m venv /opt/build
COPY requirements/runtime.lock requirements/build.lock requirements/
RUN /opt/streamer/bin/pip install --require-hashes --only-binary :all: -r requirements/runtime.lock \
    && /opt/build/bin/pip install --require-hashes --only-binary :all: -r requirements/build.lock
COPY pyproject.toml README.md LICENSE ./
COPY schemas schemas
COPY streamer streamer
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir dist . \
    && /opt/streamer/bin/pip install --no-deps dist/*.whl \
    && /opt/streamer/bin/pip uninstall --yes pip setuptools

FROM python:${PYTHON}
# No name is looked up for a number, and Kubernetes can see that it is not root's.
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin streamer \
    && install --directory --owner 10001 --group 10001 /var/lib/streamer
COPY --from=build /opt/streamer /opt/streamer
# The root file system may be read-only: what is written goes to /var/lib/streamer and /tmp.
ENV PATH=/opt/streamer/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    MPLCONFIGDIR=/tmp \
    STREAMER_DATA_DIR=/var/lib/streamer \
    STREAMER_HTTP_PORT=6066
USER 10001:10001
WORKDIR /var/lib/streamer
VOLUME /var/lib/streamer
EXPOSE 6066
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:6066/livez', timeout=4)"]
# Kafka may take a while to let the partitions go: see docs/operations.md.
STOPSIGNAL SIGTERM
ENTRYPOINT ["streamer"]
CMD ["worker"]
