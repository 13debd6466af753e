"""What programs that use allm_rx are tested with: a provider on loopback, recordings, and the suite that adapters pass."""
