"""What the past tells: shares, seasons, lifetimes, responses, forecasts; with what is known of their error."""
