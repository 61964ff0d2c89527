# Security groups and roles, made from the network matrix.

mock_provider "aws" {
  source = "./tests/mocked"
}

variables {
  name              = "lightbox"
  vpc_id            = "vpc-1"
  vpc_cidr          = "10.0.0.0/16"
  matrix            = jsondecode(file("./network_matrix.json"))
  places            = ["internet", "operators", "alert_receivers", "directory", "aws", "s3", "edge", "ui", "app", "ml", "monitoring", "bastion", "balancer", "database", "cache"]
  switches          = ["ssh_bastion", "alert_receivers", "directory", "provisioning", "releases"]
  addresses         = { operators = ["198.51.100.0/24"], alert_receivers = ["198.51.100.7/32"], directory = ["198.51.100.8/32"] }
  s3_prefix_list_id = "pl-1"
  buckets           = { studies = "s", models = "m", logs = "l" }
  github_repository = "hospital/lightbox"
  log_group_prefix  = "/lightbox/tiers"

  healthimaging_datastore = "0123456789abcdef0123456789abcdef"
}

run "everything_on" {
  module {
    source = "./modules/security"
  }

  assert {
    condition     = toset(keys(aws_vpc_security_group_ingress_rule.from_list)) == toset(["internet-edge-443", "internet-edge-80"])
    error_message = "A group other than the edge's, or another port than 443 and 80, opens to the world."
  }
  assert {
    condition     = alltrue([for rule in values(aws_vpc_security_group_ingress_rule.from_range) : rule.cidr_ipv4 != "0.0.0.0/0"])
    error_message = "A range is the world."
  }
  assert {
    condition     = length(local.internet) == 16 && contains(local.internet, "10.1.0.0/16") && contains(local.internet, "128.0.0.0/1") && !contains(local.internet, "10.0.0.0/16")
    error_message = "The internet is every address but the VPC's own."
  }
  assert {
    condition     = alltrue([for rule in concat(values(aws_vpc_security_group_ingress_rule.from_group), values(aws_vpc_security_group_ingress_rule.from_range), values(aws_vpc_security_group_ingress_rule.from_list)) : rule.from_port == rule.to_port && rule.ip_protocol == "tcp"])
    error_message = "A rule opens more than one port."
  }
  assert {
    condition     = toset(keys(aws_vpc_security_group_ingress_rule.from_group)) == toset(keys(aws_vpc_security_group_egress_rule.to_group))
    error_message = "Every pair needs both its ends: ingress and egress."
  }
  assert {
    condition     = [for key in keys(aws_vpc_security_group_ingress_rule.from_group) : key if endswith(key, "-database-5432")] == ["app-database-5432"]
    error_message = "Only App may reach the database."
  }
  assert {
    condition = alltrue([for tier, policy in aws_iam_role_policy.tier : alltrue([
      for statement in jsondecode(policy.policy).Statement : !contains(flatten([statement.Action]), "*") && alltrue([for action in flatten([statement.Action]) : !endswith(action, ":*")])
    ])])
    error_message = "A tier's role may do everything of a service."
  }
  assert {
    condition = alltrue([for statement in jsondecode(aws_iam_role_policy.tier["ml"].policy).Statement : alltrue([
      for action in flatten([statement.Action]) : !startswith(action, "s3:") || contains(["s3:GetObject", "s3:ListBucket", "s3:GetBucketLocation"], action)
    ])])
    error_message = "ML may do more with S3 than read its models."
  }
  assert {
    condition = alltrue([for action in ["s3:ListBucketVersions", "s3:DeleteObjectVersion"] : anytrue([
      for statement in jsondecode(aws_iam_role_policy.tier["app"].policy).Statement : contains(flatten([statement.Action]), action)
    ])])
    error_message = "App cannot delete old versions: what is deleted would stay in the bucket."
  }
  assert {
    condition = alltrue([for policy in aws_iam_role_policy.tier : [
      for statement in jsondecode(policy.policy).Statement : statement.Condition.StringEquals["kms:ViaService"] if statement.Sid == "KeyOfConfiguration"
    ] == [["ssm.eu-central-1.amazonaws.com"]]])
    error_message = "A host cannot open its own configuration, which is encrypted."
  }
  assert {
    condition     = jsondecode(aws_iam_role.import[0].assume_role_policy).Statement[0].Principal.Service == "medical-imaging.amazonaws.com" && output.healthimaging.folder == "s3://s/healthimaging"
    error_message = "HealthImaging cannot take the role that imports."
  }
  assert {
    condition = [for tier, policy in aws_iam_role_policy.tier : tier if strcontains(policy.policy, "iam:PassRole") || strcontains(policy.policy, "medical-imaging:")] == ["app"] && alltrue([
      for statement in jsondecode(aws_iam_role_policy.tier["app"].policy).Statement : statement.Resource != "*" if contains(["DicomResults", "HandTheRoleOver"], statement.Sid)
    ])
    error_message = "Only App imports into HealthImaging, into one data store, and hands over one role."
  }
  assert {
    condition     = alltrue([for tier in ["edge", "ui", "monitoring"] : !strcontains(aws_iam_role_policy.tier[tier].policy, "s3:")])
    error_message = "A tier that needs no S3 may reach it."
  }
  assert {
    condition     = jsondecode(aws_iam_role.pipeline[0].assume_role_policy).Statement[0].Condition.StringEquals["token.actions.githubusercontent.com:sub"] == "repo:hospital/lightbox:environment:production"
    error_message = "Another repository or branch could deploy."
  }
}

run "as_it_comes" {
  module {
    source = "./modules/security"
  }
  variables {
    places            = ["internet", "operators", "alert_receivers", "directory", "aws", "s3", "edge", "ui", "app", "ml", "monitoring"]
    switches          = []
    addresses         = { operators = [], alert_receivers = [], directory = [] }
    github_repository = ""

    healthimaging_datastore = ""
  }

  assert {
    condition     = length(aws_iam_role.import) == 0 && output.healthimaging == null && !strcontains(aws_iam_role_policy.tier["app"].policy, "medical-imaging")
    error_message = "Without a data store nobody may use HealthImaging."
  }

  assert {
    condition     = length(aws_vpc_security_group_ingress_rule.from_range) == 0 && length(aws_vpc_security_group_ingress_rule.from_list) == 2
    error_message = "From outside, only 443 and 80 of the edge."
  }
  assert {
    condition     = length(aws_vpc_security_group_egress_rule.to_range) == 0
    error_message = "A host may open connections to the internet."
  }
  assert {
    condition     = toset(keys(aws_vpc_security_group_egress_rule.to_list)) == toset(["app-s3-443", "ml-s3-443"])
    error_message = "Only App and ML reach S3."
  }
}

run "a_matrix_that_opens_ml_to_the_world" {
  command = plan
  module {
    source = "./modules/security"
  }
  variables {
    matrix = {
      places = { internet = { kind = "world", why = "-" }, ml = { kind = "host", why = "-" } }
      rules  = [{ from = "internet", to = "ml", port = 8000, protocol = "tcp", why = "-" }]
    }
  }
  expect_failures = [var.matrix]
}
