module countersign/interop-ed25519

go 1.21.0
