# What cannot work is refused before anything is made, and the message names the variable.

mock_provider "aws" {
  source = "./tests/mocked"
}

run "ssh_from_the_world" {
  command = plan
  variables {
    ssh_bastion = ["0.0.0.0/0"]
  }
  expect_failures = [var.ssh_bastion]
}

run "app_group_with_its_own_database" {
  command = plan
  variables {
    tiers = {
      edge       = { instance_type = "t3.micro" }
      ui         = { instance_type = "t3.small" }
      app        = { instance_type = "t3.medium", group = { min = 1, desired = 1, max = 2 } }
      ml         = { instance_type = "g4dn.xlarge" }
      monitoring = { instance_type = "t3.small" }
    }
  }
  expect_failures = [var.tiers]
}

run "ml_group_without_figures" {
  command = plan
  variables {
    tiers = {
      edge       = { instance_type = "t3.micro" }
      ui         = { instance_type = "t3.small" }
      app        = { instance_type = "t3.medium" }
      ml         = { instance_type = "g4dn.xlarge", group = { min = 0, desired = 0, max = 2 } }
      monitoring = { instance_type = "t3.small" }
    }
  }
  expect_failures = [var.cloudwatch_agent]
}

run "database_in_one_zone" {
  command = plan
  variables {
    database = {}
  }
  expect_failures = [var.database]
}

run "logs_of_a_week" {
  command = plan
  variables {
    log_days = 7
  }
  expect_failures = [var.log_days]
}

run "short_password_of_redis" {
  command = plan
  variables {
    cache       = {}
    cache_token = "short"
  }
  expect_failures = [var.cache_token]
}
