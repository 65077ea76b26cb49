"""The image, built by buildah from the Dockerfile as it is, and run by podman: what `make image-test` checks."""
