# goto in a container; docs/container.md tells how to build and run it.
#
#   docker build -t goto .
#   docker build -t goto:mitmproxy --build-arg EXTRAS=mitmproxy .
#   docker build -t goto --build-arg COMPILE=no .
#   make image          with the labels that only the checkout knows: its commit, and the time of it

# Both stages have the same Python in the same place: that is why the environment made in one runs in the other.
ARG PYTHON=3.13

# ---------------------------------------------------------------- a wheel, and an environment with it
# The full image has a compiler: not every dependency is there ready-made for every kind of machine.
FROM python:${PYTHON} AS build
ARG COMPILE=yes
WORKDIR /build
COPY pyproject.toml hatch_build.py README.md LICENSE ./
COPY addons addons
COPY goto goto
RUN GOTO_COMPILE="$COMPILE" pip wheel --no-cache-dir --no-deps --wheel-dir dist .
# from here on, so that the wheel is built once for all extras
ARG EXTRAS=""
# Without pip of its own: nothing is installed there later. Its byte code does not go by the times of the sources, which not every
# engine copies as they were, but for a fraction of a second: it would be made anew at each start, by a user who may not write it.
RUN python -m venv --without-pip /opt/goto \
    && pip --python /opt/goto/bin/python install --no-cache-dir --no-compile "$(echo dist/goto_http-*.whl)${EXTRAS:+[$EXTRAS]}" \
    && python -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/goto/lib

# ---------------------------------------------------------------- what runs
FROM python:${PYTHON}-slim
# Byte code of the standard library, which the base image does not have. What is left out is imported by nothing here.
RUN python -m compileall -q -f -j 0 --invalidation-mode unchecked-hash \
    -x '/(dist-packages|site-packages|ensurepip|idlelib|lib2to3|pydoc_data|test|tkinter|turtledemo)/' \
    "$(python -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')"
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

# https://specs.opencontainers.org/image-spec/annotations/; last, since a commit changes them and nothing above
ARG VERSION=1.0.0
ARG REVISION=""
ARG CREATED=""
LABEL org.opencontainers.image.title="goto" \
      org.opencontainers.image.description="An HTTP test server, an intercepting proxy and a load-sending client in one, driven by a REST API" \
      org.opencontainers.image.licenses="MIT AND Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.created="$CREATED"
