# Everything switched on at once: two zones, groups, RDS, ElastiCache, bastion, pipeline.

mock_provider "aws" {
  source = "./tests/mocked"
}

run "everything" {
  variables {
    zones             = { a = { public_cidr = "10.0.1.0/24", private_cidr = "10.0.2.0/24" }, b = { public_cidr = "10.0.3.0/24", private_cidr = "10.0.4.0/24" } }
    database          = { multi_az = true }
    cache             = { replicas = 1 }
    cache_token       = "0123456789abcdef0123456789abcdef"
    ssh_bastion       = ["198.51.100.0/24"]
    alert_receivers   = ["198.51.100.7/32"]
    cloudwatch_agent  = true
    github_repository = "hospital/lightbox"
    alarm_mail        = ["operations@hospital.example"]
    tiers = {
      edge       = { instance_type = "t3.micro" }
      ui         = { instance_type = "t3.small", group = { min = 2, desired = 2, max = 4 } }
      app        = { instance_type = "t3.medium", group = { min = 2, desired = 2, max = 4 } }
      ml         = { instance_type = "g4dn.xlarge", root_gb = 60, group = { min = 0, desired = 0, max = 3 } }
      monitoring = { instance_type = "t3.small", data_gb = 50 }
    }
  }

  assert {
    condition     = toset(keys(output.groups)) == toset(["ui", "app", "ml"]) && toset(keys(output.hosts)) == toset(["edge", "monitoring", "bastion"])
    error_message = "Expected three groups and three single hosts."
  }
  assert {
    condition     = output.addresses.ml == "mocked.elb.example" && output.groups.ml.address == "mocked.elb.example:8000"
    error_message = "Callers of a group must be sent to the balancer."
  }
  assert {
    condition     = contains(keys(output.network_rules), "balancer-ml-8000") && contains(keys(output.network_rules), "app-database-5432") && !contains(keys(output.network_rules), "ml-internet-443")
    error_message = "Rules of the balancer or the database are missing, or a provisioning rule stayed."
  }
  assert {
    condition     = toset(keys(output.public_ips)) == toset(["edge", "bastion"])
    error_message = "Only edge and bastion have public addresses."
  }
}
