variable "name" {
  description = "Prefix of every name."
  type        = string
}

variable "key_arn" {
  description = "KMS key of logs and notices."
  type        = string
}

variable "tiers" {
  description = "Tiers with a log group each."
  type        = set(string)
}

variable "log_days" {
  description = "Days that the tiers' logs are kept."
  type        = number
}

variable "agent_tiers" {
  description = "Tiers whose hosts' and own figures the CloudWatch agent sends, beside or in place of Prometheus."
  type        = set(string)
}

variable "mail" {
  description = "Who is told of alarms and of the budget."
  type        = set(string)
}

variable "budget_usd" {
  description = "US dollars a month; null: no budget."
  type        = number
}

variable "hosts" {
  description = "Instances by tier, watched by AWS's own checks."
  type        = map(string)
}

variable "database" {
  description = "Identifier of RDS; empty: none."
  type        = string
}

variable "dead_queue_name" {
  description = "Queue of events that App could not finish."
  type        = string
}
