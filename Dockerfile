# goto in a container; docs/container.md tells how to build and run it.
#
#   docker build -t goto .
#   docker build -t goto:mitmproxy --build-arg EXTRAS=mitmproxy .
#   docker build -t goto --build-arg COMPILE=no .

# Both stages have the same Python in the same place: that is why the environment made in one runs in the other.
ARG PYTHON=3.13

# ---------------------------------------------------------------- a wheel, and an environment with it
# The full image has a compiler: not every dependency is there ready-made for every kind of machine.
FROM python:${PYTHON} AS build
ARG EXTRAS=""
ARG COMPILE=yes
WORKDIR /build
COPY pyproject.toml hatch_build.py README.md LICENSE ./
COPY addons addons
COPY goto goto
RUN GOTO_COMPILE="$COMPILE" pip wheel --no-cache-dir --no-deps --wheel-dir dist .
# without pip of its own: nothing is installed there later
RUN python -m venv --without-pip /opt/goto \
    && pip --python /opt/goto/bin/python install --no-cache-dir "$(echo dist/goto_http-*.whl)${EXTRAS:+[$EXTRAS]}"

# ---------------------------------------------------------------- what runs
FROM python:${PYTHON}-slim
# goto itself writes no files; mitmproxy keeps its certificates in ~/.mitmproxy
RUN install -d -o 10001 -g 10001 /home/goto
ENV HOME=/home/goto PATH=/opt/goto/bin:$PATH
COPY --from=build /opt/goto /opt/goto
WORKDIR /home/goto
# numbers, since Kubernetes cannot tell whether a name is root (runAsNonRoot)
USER 10001:10001
EXPOSE 8080
# deregisters, and lets exchanges in flight finish
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=6s --start-period=10s CMD ["goto", "health"]
ENTRYPOINT ["goto"]
CMD ["--port", "8080"]
