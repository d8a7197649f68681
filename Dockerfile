# Two images from one file: `--target operator` and `--target jobs`. Both run as user 65532 on a read-only
# root file system; what they may write to is /tmp.
#
# PYTHON_IMAGE is the base of both; docs/install.md shows how to name it by its digest.
ARG PYTHON_IMAGE=python:3.13-slim
FROM ${PYTHON_IMAGE} AS build
COPY uv-requirements.txt ./
RUN pip install --no-cache-dir --disable-pip-version-check --root-user-action=ignore --require-hashes -r uv-requirements.txt
# Packages come through whatever the base image trusts: company images bring their own certificates.
ENV UV_SYSTEM_CERTS=true \
    UV_NO_CACHE=1 \
    UV_PYTHON_DOWNLOADS=never \
    UV_PYTHON=/usr/local/bin/python3 \
    UV_PROJECT_ENVIRONMENT=/opt/selfheal \
    UV_COMPILE_BYTECODE=1
WORKDIR /src
COPY pyproject.toml uv.lock ./

# The packages first, our code after them: a change of ours rebuilds one small layer.
FROM build AS build-operator
RUN uv sync --frozen --no-dev --extra operator --no-install-project
COPY README.md ./
COPY operator operator
COPY jobs jobs
RUN uv sync --frozen --no-dev --extra operator --no-editable

FROM build AS build-jobs
# BOOSTING=1 adds LightGBM.
ARG BOOSTING=
RUN uv sync --frozen --no-dev --extra jobs ${BOOSTING:+--extra boosting} --no-install-project
COPY README.md ./
COPY operator operator
COPY jobs jobs
RUN uv sync --frozen --no-dev --extra jobs ${BOOSTING:+--extra boosting} --no-editable

FROM ${PYTHON_IMAGE} AS runtime
RUN groupadd --gid 65532 selfheal \
 && useradd --key UID_MAX=65532 --uid 65532 --gid 65532 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin selfheal
# /tmp is the one place that can be written to; libraries put their caches below HOME.
# Time zones are those of the locked tzdata, not whatever the base image has.
ENV PATH=/opt/selfheal/bin:$PATH \
    PYTHONTZPATH="" \
    HOME=/tmp \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1
WORKDIR /tmp
USER 65532:65532

FROM runtime AS operator
COPY --from=build-operator /opt/selfheal /opt/selfheal
ENTRYPOINT ["python", "-m", "selfheal_operator"]
# Last, so that another revision with the same content is the same layers. REVISION is the commit.
ARG PYTHON_IMAGE
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="selfheal-operator" \
      org.opencontainers.image.description="Watches ModelMonitors and starts their checks and retrainings." \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="${PYTHON_IMAGE}"

FROM runtime AS jobs
# Nothing calls home, and nothing looks for a git that is not there.
ENV MLFLOW_DISABLE_TELEMETRY=true \
    DO_NOT_TRACK=true \
    GIT_PYTHON_REFRESH=quiet
COPY --from=build-jobs /opt/selfheal /opt/selfheal
# LightGBM's wheel links to the system's OpenMP.
ARG BOOSTING=
USER root
RUN test -z "$BOOSTING" || { apt-get update && apt-get install -y --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/*; }
USER 65532:65532
ENTRYPOINT ["python", "-m", "selfheal_jobs"]
ARG PYTHON_IMAGE
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="selfheal-jobs" \
      org.opencontainers.image.description="Checks data for drift and retrains models, for selfheal." \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="${PYTHON_IMAGE}"
